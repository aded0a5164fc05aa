"""The ledger: one immutable row for every call that was made to a provider."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models


class LLMCall(models.Model):
    """One attempt at a provider, successful or not. Rows are written once and never changed or deleted.

    They outlive the conversation and the user they were made for: those references become null.
    """

    class Purpose(models.TextChoices):
        REPLY = "reply"
        SUMMARY = "summary"
        TITLE = "title"
        EMBEDDING = "embedding"
        REWRITE = "rewrite"

    class Outcome(models.TextChoices):
        OK = "ok"
        CACHED = "cached", "Cached (no call was made)"
        TIMEOUT = "timeout"
        RATE_LIMITED = "rate_limited"
        UNAVAILABLE = "unavailable", "Unavailable (5xx or no connection)"
        INVALID_RESPONSE = "invalid_response"
        TOO_LARGE = "too_large", "Too large for the model"
        UNKNOWN_MODEL = "unknown_model"
        UNAUTHORIZED = "unauthorized"
        REJECTED = "rejected", "Rejected (bad request)"
        CANCELLED = "cancelled"
        ABANDONED = "abandoned", "Abandoned (the process ended during the call)"

    SUCCESSES = (Outcome.OK, Outcome.CACHED)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="llm_calls", db_index=False
    )
    conversation = models.ForeignKey(
        "conversations.Conversation", on_delete=models.SET_NULL, null=True, related_name="llm_calls"
    )
    message = models.ForeignKey("conversations.Message", on_delete=models.SET_NULL, null=True, related_name="llm_calls")
    purpose = models.CharField(max_length=20, choices=Purpose, default=Purpose.REPLY)
    provider = models.CharField(max_length=50)
    model = models.CharField(max_length=200)
    attempt = models.PositiveSmallIntegerField(default=1, help_text="1 for the first try of this model in this turn.")
    outcome = models.CharField(max_length=20, choices=Outcome)
    error = models.CharField(max_length=500, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0, help_text="Of the prompt tokens, those the provider had.")
    estimated = models.BooleanField(
        default=False, help_text="The tokens are our estimate: the call ended before the provider reported any."
    )
    cost = models.DecimalField(
        max_digits=16, decimal_places=10, null=True, help_text="US dollars; null where the model's price is not known."
    )
    price = models.JSONField(null=True, help_text="What the cost was computed with: US dollars per million tokens.")
    latency_ms = models.PositiveIntegerField(default=0)
    request_id = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "llm_calls"
        verbose_name = "LLM call"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["user", "created_at"], name="llm_calls_user_day"),
            models.Index(fields=["created_at", "model"], name="llm_calls_day_model"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new row.

        Raises:
            TypeError: the row exists already; the ledger is not edited.
        """
        if not self._state.adding:
            raise TypeError("A ledger row is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Always refuse.

        Raises:
            TypeError: always; the ledger is kept.
        """
        raise TypeError("A ledger row is never deleted.")
