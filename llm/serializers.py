"""Usage and budgets as the API gives them."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .limits import SCOPES
from .usage import GROUPS

MOST_DAYS: Final = 366
NUMBER = {"oneOf": [{"type": "integer"}, {"type": "string", "format": "decimal"}]}


class UsageParams(serializers.Serializer[dict[str, Any]]):
    """What is asked for; the month so far unless told."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        since = serializers.DateField(required=False, help_text="The first day, in UTC; the month's unless told.")
        return {"from": since, **super().get_fields()}  # a word that Python keeps for itself

    to = serializers.DateField(required=False, help_text="The last day; today unless told.")
    group_by = serializers.ChoiceField(choices=list(GROUPS), default="day", help_text="What each row adds up.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        last: dt.date = attrs.setdefault("to", timezone.now().date())
        first: dt.date = attrs.setdefault("from", last.replace(day=1))
        if first > last:
            raise serializers.ValidationError({"from": "The first day is after the last."})
        if (last - first).days >= MOST_DAYS:
            raise serializers.ValidationError({"from": f"At most {MOST_DAYS} days are added up at once."})
        if last == dt.date.max:
            raise serializers.ValidationError({"to": "No day comes after this one."})
        return attrs


class ModelSerializer(serializers.Serializer[dict[str, Any]]):
    """A model that can be asked."""

    id = serializers.CharField(help_text="As requests name it in `model`.")
    provider = serializers.CharField()
    model = serializers.CharField(help_text="As its provider calls it, and `model_used` of a reply.")
    is_default = serializers.BooleanField(help_text="Whether it is asked first when a request names none.")
    price = serializers.DictField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="US dollars per million tokens: `input_mtok`, `cache_read_mtok`, `output_mtok`. Null when unknown.",
    )


class ModelsSerializer(serializers.Serializer[dict[str, Any]]):
    """The configured chain."""

    models = ModelSerializer(many=True)


class FiguresSerializer(serializers.Serializer[dict[str, Any]]):
    """Calls to models, added up."""

    calls = serializers.IntegerField(help_text="Every attempt is one, failed ones included.")
    ok = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Neither ok nor cancelled.")
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(help_text="Of the prompt tokens, those the provider had.")
    tokens = serializers.SerializerMethodField(help_text="Prompt and completion.")
    cost = serializers.SerializerMethodField(help_text="US dollars, without the calls whose cost is not known.")
    unpriced_calls = serializers.IntegerField(help_text="How many those are.")

    def get_tokens(self, figures: dict[str, Any]) -> int:
        return int(figures["prompt_tokens"] + figures["completion_tokens"])

    @extend_schema_field({"type": "string", "format": "decimal"})
    def get_cost(self, figures: dict[str, Any]) -> str:
        return f"{figures['cost'] or 0:.10f}"


class UsageRowSerializer(FiguresSerializer):
    """The calls of one day, model or conversation."""

    group = serializers.SerializerMethodField(
        help_text="A day, a model as `provider/model`, or a conversation's id: null for deleted ones and for none."
    )

    @extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}], "nullable": True})
    def get_group(self, figures: dict[str, Any]) -> str | int | None:
        group: str | int | None = figures["group"]
        return group


@extend_schema_field(NUMBER)
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """Tokens as a number, US dollars as a decimal string."""

    def to_representation(self, value: Any) -> int | str:
        return value if isinstance(value, int) else f"{value.normalize():f}"


class BudgetSerializer(serializers.Serializer[Any]):
    """How one limit stands."""

    scope = serializers.ChoiceField(choices=list(SCOPES))
    limit = AmountField(read_only=True, help_text="Tokens, or US dollars as a decimal string.")
    used = AmountField(read_only=True, help_text="Spent, and reserved by running replies.")
    remaining = AmountField(read_only=True)
    resets_at = serializers.DateTimeField()


class UsageSerializer(serializers.Serializer[Any]):
    """The caller's own calls in a period, and what is left of their budget now."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": serializers.DateField(), **super().get_fields()}

    to = serializers.DateField()
    group_by = serializers.ChoiceField(choices=list(GROUPS))
    totals = FiguresSerializer()
    rows = UsageRowSerializer(many=True, help_text="Days in their order; else the most tokens first, at most 1,000.")
    budget = BudgetSerializer(many=True, help_text="Each limit of the caller; empty when there is none.")
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="A sentence for each limit of which 80 % or more is spent."
    )
