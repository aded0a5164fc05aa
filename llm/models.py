"""The ledger, one immutable row for every call to a provider; what calls may cost, and what they cost so far."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from .sums import ModelDay, RollUp, UserSpan  # noqa: F401  Django looks for models here


class LLMCallQuerySet(models.QuerySet["LLMCall"]):
    """The ledger's rows."""

    def forget_who(self) -> int:
        """Take whom they were made for out of these rows: the one change that a ledger row ever sees.

        Figures and times stay. Gives the number of rows.
        """
        return self.update(user=None, conversation=None, message=None, request_id="", error="")


class LLMCall(models.Model):
    """One attempt at a provider, successful or not. Rows are written once and never changed or deleted.

    They outlive the conversation and the user they were made for: those references become null, see `forget_who`.
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
    place = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="1 for the model that was to answer, more for one that stood in for it."
    )
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
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LLMCallQuerySet.as_manager()

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


def _dollars(help_text: str, **options: Any) -> models.DecimalField[Any, Any]:
    """A column for an amount that people type in."""
    least = [MinValueValidator(Decimal(0))]
    return models.DecimalField(max_digits=14, decimal_places=6, validators=least, help_text=help_text, **options)


class ModelPrice(models.Model):
    """What a model costs from a day on, in US dollars per million tokens. It goes before the built-in price list."""

    provider = models.CharField(max_length=50, help_text="As the ledger names it, such as groq.")
    model = models.CharField(max_length=200, help_text="As the ledger names it, such as openai/gpt-oss-20b.")
    input = _dollars("A million tokens that are sent.")
    cached = _dollars(
        "A million sent tokens that the provider had in its cache; empty: the same.", null=True, blank=True
    )
    output = _dollars("A million tokens of answers, reasoning included.")
    valid_from = models.DateTimeField(default=timezone.now, help_text="Calls before this moment keep their price.")

    class Meta:
        db_table = "model_prices"
        ordering: ClassVar = ["provider", "model", "-valid_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "model", "valid_from"], name="model_prices_unique"),
            models.CheckConstraint(
                condition=models.Q(input__gte=0, output__gte=0) & (models.Q(cached=None) | models.Q(cached__gte=0)),
                name="model_prices_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class Budget(models.Model):
    """What one user may spend, in place of the defaults in the settings, all four of them. Empty: no limit."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="budget"
    )
    day_tokens = models.PositiveBigIntegerField("tokens a day", null=True, blank=True)
    month_tokens = models.PositiveBigIntegerField("tokens a month", null=True, blank=True)
    day_cost = _dollars("US dollars.", verbose_name="cost a day", null=True, blank=True)
    month_cost = _dollars("US dollars.", verbose_name="cost a month", null=True, blank=True)

    class Meta:
        db_table = "budgets"

    def __str__(self) -> str:
        return f"Budget of user {self.user_id}"


class Allowance(models.Model):
    """What a user has spent this day and month, and what running replies may still spend: the ledger, added up.

    Only `allowances` adds to it. Costs are whole ten-billionths of a US dollar: every database adds them exactly.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="allowance"
    )
    day = models.DateField(help_text="In UTC. The day's figures are of this day, the month's of its month.")
    day_tokens = models.PositiveBigIntegerField(default=0)
    month_tokens = models.PositiveBigIntegerField(default=0)
    day_cost = models.PositiveBigIntegerField(default=0)
    month_cost = models.PositiveBigIntegerField(default=0)
    reserved_tokens = models.PositiveBigIntegerField(default=0)
    reserved_cost = models.PositiveBigIntegerField(default=0)
    warned = models.CharField(max_length=200, blank=True, help_text="Which warnings were logged, and of which period.")

    class Meta:
        db_table = "allowances"
        indexes: ClassVar = [  # of many users few are near a limit
            models.Index(fields=["day"], condition=~models.Q(warned=""), name="allowances_warned"),
        ]

    def __str__(self) -> str:
        return f"Allowance of user {self.user_id}"


class Hold(models.Model):
    """What one running reply has reserved. It counts in its user's allowance until it is given back or expires."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    tokens = models.PositiveBigIntegerField()
    cost = models.PositiveBigIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "budget_holds"

    def __str__(self) -> str:
        return f"{self.tokens} tokens of user {self.user_id}"
