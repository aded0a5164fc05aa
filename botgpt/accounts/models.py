"""Users, the API keys they call with, and the record of who did what."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator
from django.db import connections, models
from django.utils import timezone

from .addresses import client_address

if TYPE_CHECKING:
    from django.http import HttpRequest


class User(AbstractUser):
    """A person or a service that owns conversations and documents."""

    username = models.CharField(
        max_length=100,
        unique=True,
        validators=[AbstractUser.username_validator],
        error_messages={"unique": "A user with that username already exists."},
    )
    email = models.EmailField(max_length=255, unique=True, null=True, blank=True)  # type: ignore[assignment]
    created_at = models.DateTimeField(auto_now_add=True)
    # Kept by the conversations app, so that a list's total needs no COUNT over the owner's rows.
    conversation_count = models.PositiveIntegerField(default=0, editable=False)
    date_joined = None  # type: ignore[assignment]  # the contract calls it created_at

    class Meta:
        db_table = "users"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(  # the few that the admin's filters look for
                fields=["id"],
                condition=models.Q(is_staff=True) | models.Q(is_superuser=True) | models.Q(is_active=False),
                name="users_special",
            ),
        ]

    def clean(self) -> None:
        super().clean()
        self.email = self.email or None  # two users without an address are not duplicates

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email or None
        super().save(*args, **kwargs)


# What requests ask about a key that is neither revoked nor expired, and about its user, who is active; in the order in
# which the models have their fields.
KEY_FIELDS: Final = ("id", "user_id", "digest", "scopes", "calls_per_minute", "last_used_at")
USER_FIELDS: Final = ("id", "is_active", "username", "email", "conversation_count")
USABLE: Final = f"""
    SELECT {", ".join(f"api_keys.{name}" for name in KEY_FIELDS)}, {", ".join(f"users.{name}" for name in USER_FIELDS)}
    FROM api_keys JOIN users ON users.id = api_keys.user_id
    WHERE prefix = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s) AND users.is_active
"""  # noqa: S608  our own names


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Finds keys by what a caller sends."""

    def visible_to(self, user: User) -> Self:
        """The user's own."""
        return self.filter(user=user)

    def issue(
        self,
        *,
        user: User,
        name: str,
        scopes: list[str] | None = None,
        expires_at: dt.datetime | None = None,
        calls_per_minute: int | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key and return it with its token, which is stored nowhere and cannot be shown again."""
        prefix = secrets.token_hex(ApiKey.PREFIX_LENGTH // 2)
        token = f"{ApiKey.MARKER}{prefix}_{secrets.token_urlsafe(32)}"
        key = self.create(
            user=user,
            name=name,
            scopes=scopes or list(ApiKey.Scope.values),
            expires_at=expires_at,
            calls_per_minute=calls_per_minute,
            prefix=prefix,
            digest=ApiKey.digest_of(token),
        )
        return key, token

    def find(self, token: str) -> ApiKey | None:
        """The usable key that `token` belongs to, with its user, both with the fields that requests ask for; else None.

        In SQL, because every request comes by here: the ORM's `raw` takes twice as long.
        """
        prefix = token.removeprefix(ApiKey.MARKER)[: ApiKey.PREFIX_LENGTH]
        with connections[self.db].cursor() as cursor:
            cursor.execute(USABLE, [prefix, timezone.now()])
            row = cursor.fetchone()
        if row is None:
            return None
        values = list(row[: len(KEY_FIELDS)])
        *_, digest, scopes, _, last_used_at = values
        if not secrets.compare_digest(digest, ApiKey.digest_of(token)):
            return None
        values[KEY_FIELDS.index("scopes")] = json.loads(scopes)
        if last_used_at and timezone.is_naive(last_used_at):  # SQLite has no time zones
            values[-1] = last_used_at.replace(tzinfo=dt.UTC)
        key = ApiKey.from_db(self.db, KEY_FIELDS, values)
        key.user = User.from_db(self.db, USER_FIELDS, row[len(KEY_FIELDS) :])
        return key


class ApiKey(models.Model):
    """A named, revocable credential. Only its SHA-256 digest is stored.

    A plain digest is enough: the secret has 256 random bits, so there is no dictionary to slow down.
    """

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write"

    MARKER = "bgpt_"
    PREFIX_LENGTH = 12
    LAST_USED_PRECISION = dt.timedelta(minutes=1)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    # On top of its user's limits, which all their credentials share; null: only those.
    calls_per_minute = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"
        ordering: ClassVar = ["-id"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.MARKER}{self.prefix}…)"

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "active"

    @property
    def scope_list(self) -> str:
        """The scopes for people to read."""
        return ", ".join(self.scopes)

    @staticmethod
    def digest_of(token: str) -> str:
        """SHA-256 of the whole token, in hex."""
        return hashlib.sha256(token.encode()).hexdigest()

    def record_use(self) -> None:
        """Note that the key was used; at most one write a minute, so that reads stay reads."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > self.LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

    def revoke(self) -> None:
        """Stop the key from working, from the next request on."""
        self.revoked_at = self.revoked_at or timezone.now()
        self.save(update_fields=["revoked_at"])


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Writes what happened."""

    def record(
        self, action: AuditEvent.Action, what: models.Model, *, request: HttpRequest | None = None, detail: str = ""
    ) -> AuditEvent:
        """Note that the request's user did this to a row; without a request it was a command on the server.

        A row that is not stored stands for its whole table.
        """
        user = getattr(request, "user", None)
        by = user if isinstance(user, User) else None
        return self.create(
            actor=by,
            actor_name=by.username if by else "command line" if request is None else "",
            action=action,
            object_type=what._meta.label_lower,
            object_id="" if what.pk is None else str(what.pk),
            detail=detail,
            address=client_address(request) if request else None,
        )


class AuditEvent(models.Model):
    """Who did what to which row, when and from where. Rows are added, never changed.

    It holds no text of users: a transcript that was read is named by its id.
    """

    class Action(models.TextChoices):
        READ = "read"
        ADD = "add"
        CHANGE = "change"
        REVOKE = "revoke"
        DELETE = "delete"

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=100, help_text="As it was then; it outlives the user.")
    action = models.CharField(max_length=10, choices=Action.choices)
    object_type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=50)
    detail = models.TextField(blank=True)
    address = models.GenericIPAddressField(null=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        db_table = "audit_events"
        ordering: ClassVar = ["-id"]
        verbose_name = "audit event"
        indexes: ClassVar = [models.Index(fields=["object_type", "object_id"], name="audit_events_object")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.object_type} {self.object_id}"
