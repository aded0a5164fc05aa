"""Logins, tokens and keys as the API takes and gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.utils import timezone
from rest_framework import serializers

from .models import ApiKey, User

if TYPE_CHECKING:
    import datetime as dt


class TextField(serializers.CharField):
    """A JSON string and nothing else: `CharField` takes numbers too."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LoginSerializer(serializers.Serializer[Any]):
    """What a person logs in with."""

    username = TextField(max_length=100)
    password = TextField(max_length=1_000, trim_whitespace=False, style={"input_type": "password"})


class RefreshSerializer(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = TextField(max_length=2_000)


class TokenPairSerializer(serializers.Serializer[Any]):
    """An access token for calls, and a refresh token for the next pair."""

    access = serializers.CharField(help_text="Send it as `Authorization: Bearer <access>`.")
    refresh = serializers.CharField(help_text="Good for one new pair.")


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """An API key, without its token."""

    scopes = serializers.ListField(child=serializers.ChoiceField(ApiKey.Scope.choices))
    state = serializers.ChoiceField(["active", "expired", "revoked"], read_only=True)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "name",
            "prefix",
            "scopes",
            "calls_per_minute",
            "state",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        )
        read_only_fields = fields
        extra_kwargs: ClassVar = {"prefix": {"help_text": "The first characters after `bgpt_`, to tell keys apart."}}


class IssuedApiKeySerializer(ApiKeySerializer):
    """A new API key with its token, which is shown only here."""

    token = serializers.CharField(read_only=True, help_text="Stored nowhere; it cannot be shown again.")

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "token")
        read_only_fields = fields


class NewApiKeySerializer(serializers.Serializer[Any]):
    """What a key is for, and what it allows."""

    name = TextField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(ApiKey.Scope.choices),
        allow_empty=False,
        max_length=len(ApiKey.Scope.values),
        default=list(ApiKey.Scope.values),
        help_text="`read`: every GET, and searches. `write`: everything that creates, changes or deletes.",
    )
    expires_at = serializers.DateTimeField(allow_null=True, default=None, help_text="Null: until it is revoked.")
    calls_per_minute = serializers.IntegerField(
        min_value=1,
        max_value=1_000_000,
        allow_null=True,
        default=None,
        help_text="A limit of its own, on top of those that all credentials of the user share.",
    )

    def validate_scopes(self, scopes: list[str]) -> list[str]:
        return list(dict.fromkeys(scopes))

    def validate_expires_at(self, moment: dt.datetime | None) -> dt.datetime | None:
        if moment is not None and moment <= timezone.now():
            raise serializers.ValidationError("This must be in the future.")
        return moment


class MeSerializer(serializers.ModelSerializer[User]):
    """Who is calling, and what the credentials allow."""

    scopes = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("id", "username", "email", "created_at", "scopes")
        read_only_fields = fields

    def get_scopes(self, user: User) -> list[str]:
        scopes: list[str] = self.context["scopes"]
        return scopes
