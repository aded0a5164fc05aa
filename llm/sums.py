"""The ledger added up by day, model and user, so that nothing that is shown of it has to read all of it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Sums(models.Model):
    """Ledger rows added up; `figures.Figures` says what each column counts. Only `rollup` writes them."""

    provider = models.CharField(max_length=50)
    model = models.CharField(max_length=200)
    calls = models.PositiveBigIntegerField()
    ok = models.PositiveBigIntegerField()
    failed = models.PositiveBigIntegerField()
    turns = models.PositiveBigIntegerField()
    fallbacks = models.PositiveBigIntegerField()
    cache_hits = models.PositiveBigIntegerField()
    prompt_tokens = models.PositiveBigIntegerField()
    completion_tokens = models.PositiveBigIntegerField()
    cached_tokens = models.PositiveBigIntegerField()
    unpriced_calls = models.PositiveBigIntegerField()
    cost = models.PositiveBigIntegerField()
    latencies = models.JSONField(default=dict, help_text="How many replies took so long, by rounded milliseconds.")
    slowest = models.JSONField(default=list, help_text="The slowest replies: milliseconds and the id of the call.")

    class Meta:
        abstract = True


class ModelDay(Sums):
    """What one model did on one day, in UTC."""

    day = models.DateField()

    class Meta:
        db_table = "llm_model_days"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "provider", "model"], name="llm_model_days_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} on {self.day}"


class UserSpan(Sums):
    """What one model did for one user on one day or in one month; nobody's rows are those of erased users too.

    Months are for adding up many users over a long time; latencies are kept by day alone.
    """

    class Span(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    span = models.CharField(max_length=5, choices=Span)
    begins = models.DateField(help_text="In UTC.")

    class Meta:
        db_table = "llm_user_spans"
        indexes: ClassVar = [  # holds all that a ranking of users has to read
            models.Index(
                fields=["span", "begins", "user", "prompt_tokens", "completion_tokens"], name="llm_user_spans_time"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "span", "begins", "provider", "model"], name="llm_user_spans_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} for user {self.user_id}, {self.span} {self.begins}"


class RollUp(models.Model):
    """How far the ledger is added up, in one row, which is also the lock of whoever adds up.

    Attributes:
        version: another whenever sums were written, so that a reader can tell whether it read one state.
    """

    THE_ONE = 1

    last_id = models.BigIntegerField(default=0, help_text="Every ledger row up to this one is in the sums, none after.")
    version = models.BigIntegerField(default=0)

    class Meta:
        db_table = "llm_roll_up"

    def __str__(self) -> str:
        return f"Up to {self.last_id}"
