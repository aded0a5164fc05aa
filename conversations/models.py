"""Conversations and their messages: a tree of questions and replies, of which one path is active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from documents import statements
from documents.models import Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from botgpt.accounts.models import User


COUNT_UP: Final = "UPDATE users SET conversation_count = conversation_count + 1 WHERE id = %s"
RECORD_TURN: Final = """
    UPDATE conversations
    SET active_leaf_id = %s, message_count = message_count + %s, activity_at = %s, updated_at = %s
    WHERE id = %s
"""

OF_OWNER: Final = "WHERE id = %s AND user_id = %s"
NEWEST: Final = "WHERE user_id = %s ORDER BY activity_at DESC, id DESC LIMIT %s"
LARGEST_ID: Final = 2**63 - 1
ROWS: Final = """
    SELECT {columns} FROM messages
    WHERE conversation_id = %s AND {earlier} ORDER BY created_at DESC, id DESC LIMIT %s
"""
LEAF_ON: Final = "created_at <= (SELECT created_at FROM messages WHERE id = %s)"
OLDER: Final = "created_at <= %s AND (created_at < %s OR id < %s)"
SIBLINGS: Final = "SELECT id, parent_id FROM messages WHERE conversation_id = %s AND ({same_parent}) ORDER BY id"


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Finds conversations by their owner."""

    def visible_to(self, user: User) -> Self:
        return self.filter(user=user)

    def newest_first(self) -> Self:
        """Most recent activity first; the index on the owner has this very order."""
        return self.order_by("-activity_at", "-id")

    def one_of(self, user: User, pk: int) -> Conversation | None:
        """The user's conversation that has this id, by SQL that is built once."""
        found = statements.select(Conversation, OF_OWNER, [pk, user.pk], using=self.db) if pk <= LARGEST_ID else ()
        return next(iter(found), None)

    def newest_of(self, user: User, number: int) -> list[Conversation]:
        """So many of the user's conversations, newest first, by SQL that is built once."""
        return statements.select(Conversation, NEWEST, [user.pk, number], using=self.db)


class Conversation(models.Model):
    """A dialogue of one user, open or grounded in documents (`rag`)."""

    class Mode(models.TextChoices):
        OPEN = "open"
        RAG = "rag"

    TITLE_LENGTH = 255

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations", db_index=False
    )
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    mode = models.CharField(max_length=50, choices=Mode, default=Mode.OPEN)
    documents = models.ManyToManyField(Document, through="ConversationDocument", related_name="conversations")
    message_count = models.PositiveIntegerField(default=0, help_text="Of all branches.")
    # Messages are only deleted with their conversation, so this needs neither a constraint nor the index that
    # checking it would need.
    active_leaf = models.ForeignKey(
        "Message", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    summary = models.TextField(blank=True)
    summarized_through = models.BigIntegerField(null=True, help_text="The id of the last message in the summary.")
    folding_until = models.DateTimeField(null=True, help_text="Until then a process has the summary in work.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(null=True)
    # Not null, so that the index and ORDER BY agree about nulls on every engine.
    activity_at = models.DateTimeField(default=timezone.now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        db_table = "conversations"
        indexes: ClassVar = [
            models.Index(
                "user", models.F("activity_at").desc(), models.F("id").desc(), name="conversations_user_recent"
            ),
            # Those of all users, for the admin.
            models.Index(fields=["-activity_at", "-id"], name="conversations_recent"),
            models.Index(fields=["mode", "-activity_at", "-id"], name="conversations_mode_recent"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(mode__in=["open", "rag"]), name="conversations_mode_known"),
        ]

    def __str__(self) -> str:
        return self.title or f"Conversation {self.pk}"

    @property
    def is_grounded(self) -> bool:
        """Whether replies are grounded in documents."""
        return self.mode == self.Mode.RAG

    @property
    def document_ids(self) -> list[int] | None:
        """The documents of a rag conversation in the order they were given; None for an open one."""
        if not self.is_grounded:
            return None
        self.know_documents([self])
        return [link.document_id for link in self.document_links.all()]

    @staticmethod
    def know_documents(conversations: Sequence[Conversation]) -> None:
        """Read by one query what those in `rag` mode are grounded in, as far as it is not known."""
        models.prefetch_related_objects([one for one in conversations if one.is_grounded], "document_links")

    def link(self, documents: Iterable[Document]) -> None:
        """Ground the conversation in these documents, in this order, and in no others."""
        self.document_links.all().delete()
        ConversationDocument.objects.bulk_create(
            ConversationDocument(conversation=self, document=document) for document in documents
        )
        getattr(self, "_prefetched_objects_cache", {}).pop("document_links", None)

    @transaction.atomic
    def change(self, *, title: str | None = None, documents: Sequence[Document] | None = None) -> None:
        """Rename it, or ground it in other documents; None leaves things as they are."""
        if title is not None:
            self.title = title
        if documents is not None:
            self.link(documents)
        self.updated_at = timezone.now()
        self.save(update_fields=["title", "updated_at"])

    def store(self) -> None:
        """Store a new conversation, and count it for its owner."""
        statements.insert(self)
        with connection.cursor() as cursor:
            cursor.execute(COUNT_UP, [self.user_id])

    def begin_with(self, leaf: Message) -> None:
        """Make `leaf` the active end of a new conversation."""
        self.active_leaf = leaf
        statements.update(self, "active_leaf")

    def record_turn(self, *, leaf: Message, added: int) -> None:
        """Make `leaf` the active end, and count the messages that came with it."""
        now = timezone.now()
        with connection.cursor() as cursor:
            at = connection.ops.adapt_datetimefield_value(now)
            cursor.execute(RECORD_TURN, [leaf.pk, added, at, at, self.pk])
        self.active_leaf, self.activity_at, self.updated_at = leaf, now, now
        self.message_count += added

    def go_to(self, message: Message) -> None:
        """Make the branch active that ends with the newest message below this one."""
        newest, below = message.pk, {message.pk}
        later = self.messages.filter(id__gt=message.pk).order_by("id").values_list("id", "parent_id")
        for pk, parent_id in later.iterator():
            if parent_id in below:
                below.add(pk)
                newest = pk
        Conversation.objects.filter(pk=self.pk).update(active_leaf=newest, updated_at=timezone.now())
        self.refresh_from_db(fields=["active_leaf", "message_count", "updated_at"])

    def lines(self, *, through: int) -> Iterator[Line]:
        """The message `through` and its ancestors, newest first, of each what a prompt needs."""
        return map(Line._make, self.rows(Line._fields, through=through))

    def rows(self, columns: Sequence[str], *, through: int, batch: int = 50) -> Iterator[tuple[Any, ...]]:
        """These columns of the message `through` and of its ancestors, newest first, as the engine gives them.

        Rows are read as they are asked for. A message is stored after its parent, so one backward scan over the
        conversation, from the message on, meets every ancestor in order; the rows of other branches are passed over.

        Args:
            columns: `id`, `parent_id` and `created_at` among them.
            batch: rows a query.
        """
        pk, parent, created_at = map(columns.index, ("id", "parent_id", "created_at"))
        wanted: int | None = through
        earlier, values = LEAF_ON, [through]
        while True:
            with connection.cursor() as cursor:
                sql = ROWS.format(columns=", ".join(columns), earlier=earlier)
                cursor.execute(sql, [self.pk, *values, batch])
                found = cursor.fetchall()
            for row in found:
                if row[pk] == wanted:
                    yield row
                    wanted = row[parent]
            if wanted is None or len(found) < batch:
                return
            # The index begins to read at the moment; else each page would pass over all those before.
            last = found[-1]
            earlier, values = OLDER, [last[created_at], last[created_at], last[pk]]


class Line(NamedTuple):
    """What a prompt needs of a message; `created_at` is as the engine gives it."""

    id: int
    parent_id: int | None
    role: str
    content: str
    status: str
    model_used: str | None
    created_at: Any


class ConversationDocument(models.Model):
    """Which documents a conversation is grounded in."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="document_links")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="conversation_links")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "conversation_documents"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "document"], name="conversation_documents_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} - {self.document_id}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Finds messages by the owner of their conversation."""

    def visible_to(self, user: User) -> Self:
        return self.filter(conversation__user=user)

    def running(self, *, job: dict[str, Any] | None) -> Self:
        """Replies that are being generated and have this very job: every worker that takes one over changes it."""
        rows = self.filter(status=Message.Status.IN_PROGRESS)
        return rows.filter(job__isnull=True) if job is None else rows.filter(job=job)


class Message(models.Model):
    """A question or a reply. `parent` makes the tree: an edited question or another reply is a sibling."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    class Status(models.TextChoices):
        COMPLETE = "complete"
        IN_PROGRESS = "in_progress"
        FAILED = "failed"
        CANCELLED = "cancelled"
        INCOMPLETE = "incomplete"

    RESULT = (
        *("content", "status", "tokens_used", "model_used", "citations", "grounded", "context", "error"),
        *("cached", "restarts", "updated_at"),
    )

    class Feedback(models.TextChoices):
        UP = "up"
        DOWN = "down"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children")
    role = models.CharField(max_length=20, choices=Role)
    content = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.COMPLETE)
    tokens_used = models.PositiveIntegerField(default=0)
    model_used = models.CharField(max_length=100, null=True)  # noqa: DJ001  the contract says null
    citations = models.JSONField(default=list)
    grounded = models.BooleanField(null=True, help_text="Whether passages were found to answer from; null when open.")
    error = models.TextField(null=True)  # noqa: DJ001  the contract says null
    cached = models.BooleanField(default=False, help_text="Whether it was answered from the response cache.")
    restarts = models.PositiveSmallIntegerField(
        default=0, help_text="How often the text began anew while it was streamed; positions are within one beginning."
    )
    context = models.JSONField(null=True, help_text="What was sent with the question, and what was dropped.")
    feedback = models.CharField(max_length=10, choices=Feedback, null=True)  # noqa: DJ001
    job = models.JSONField(null=True, help_text="How a worker is to generate it; null for a reply that none has.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now, help_text="A running reply's heartbeat.")

    objects = MessageQuerySet.as_manager()

    class Meta:
        db_table = "messages"
        ordering: ClassVar = ["created_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["conversation", "created_at", "id"], name="messages_conversation_order"),
            models.Index(fields=["created_at"], condition=Q(feedback__isnull=False), name="messages_feedback"),
        ]
        constraints: ClassVar = [
            # The lock: one turn at a time in a conversation, held by the database.
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status="in_progress"), name="messages_one_running_reply"
            ),
            models.CheckConstraint(condition=Q(role__in=["user", "assistant"]), name="messages_role_known"),
            models.CheckConstraint(
                condition=Q(status__in=["complete", "in_progress", "failed", "cancelled", "incomplete"]),
                name="messages_status_known",
            ),
            models.CheckConstraint(
                condition=Q(feedback=None) | Q(feedback__in=["up", "down"]), name="messages_feedback_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:60]}"

    @property
    def sibling_ids(self) -> list[int]:
        """The messages that share its parent, itself included, oldest first; see `know_siblings`."""
        known: list[int] = self.__dict__.get("_sibling_ids", [])
        return known or [self.pk]

    @staticmethod
    def know_siblings(messages: Sequence[Message]) -> None:
        """Read the siblings of messages of one conversation, by one query."""
        siblings = Message.siblings(messages[0].conversation_id, {message.parent_id for message in messages})
        for message in messages:
            message.__dict__["_sibling_ids"] = siblings[message.parent_id]

    @staticmethod
    def siblings(conversation_id: int, parents: Iterable[int | None]) -> dict[int | None, list[int]]:
        """The messages below each of these, oldest first; below None those that have no parent."""
        siblings: dict[int | None, list[int]] = {parent: [] for parent in parents}
        known = [pk for pk in siblings if pk is not None]
        same_parent = f"parent_id IN ({', '.join(['%s'] * len(known))})" if known else "FALSE"
        if None in siblings:
            same_parent += " OR parent_id IS NULL"
        with connection.cursor() as cursor:
            cursor.execute(SIBLINGS.format(same_parent=same_parent), [conversation_id, *known])
            for pk, parent_id in cursor.fetchall():
                siblings[parent_id].append(pk)
        return siblings

    def finish(self, **fields: Any) -> None:
        """Take over a reply's outcome; `store_result` writes it."""
        for name, value in fields.items():
            setattr(self, name, value)
        self.updated_at = timezone.now()

    def store_result(self, *, instead_of: str = Status.IN_PROGRESS) -> bool:
        """Write the outcome of a running reply; False if its status or its job is another by now. Safe to repeat."""
        where, values = "status IN (%s, %s) AND job IS NULL", [instead_of, self.status]
        if self.job is not None:
            where = "status IN (%s, %s) AND job = %s"
            values.append(connection.ops.adapt_json_value(self.job, None))
        return statements.update(self, *self.RESULT, where=where, values=values)


class IdempotencyKey(models.Model):
    """A key that a client sent with a question, and the reply that came of it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request.")
    reply = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_keys_unique")]

    def __str__(self) -> str:
        return self.key
