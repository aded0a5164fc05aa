"""The admin of the ledger: every call to a provider, with totals; nothing here can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from . import admin_money  # noqa: F401  registers itself on import
from .admin_filters import DayRangeFilter
from .ledger import RECENT, recent, spent_by_day, summed
from .models import LLMCall

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

OUTCOME_COLOURS = {outcome.value: "danger" for outcome in LLMCall.Outcome} | {
    "ok": "success",
    "rate_limited": "warning",
    "cancelled": "info",
}


SOUGHT = {"model", "outcome__exact", "purpose__exact", "cost"}  # what filters are called in the address


def _is_bounded(request: HttpRequest) -> bool:
    return any(request.GET.get(f"created_at_{end}") for end in ("from", "to"))


class ModelFilter(DropdownFilter):
    """The models that were called lately; older ones can still be asked for in the address."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = recent(LLMCall.objects.all()).order_by().values_list("model", flat=True).distinct()
        return [(name, name) for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LLMCall]) -> QuerySet[LLMCall]:
        return queryset.filter(model=self.value()) if self.value() else queryset


class PricedFilter(admin.SimpleListFilter):
    """Whether the cost is known; a model of unknown price is not a free one."""

    title = "cost"
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("known", "Known"), ("unpriced", "Not known")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LLMCall]) -> QuerySet[LLMCall]:
        match self.value():
            case "known":
                return queryset.exclude(cost=None)
            case "unpriced":
                return queryset.filter(cost=None)
        return queryset


@admin.register(LLMCall)
class LLMCallAdmin(ModelAdmin):
    """The ledger."""

    list_display = (
        "created_at",
        "user",
        "model",
        "purpose",
        "attempt",
        "outcome_label",
        "prompt_tokens",
        "completion_tokens",
        "estimated",
        "cost_label",
        "latency",
    )
    list_filter = (
        ModelFilter,
        ("outcome", ChoicesDropdownFilter),
        ("purpose", ChoicesDropdownFilter),
        PricedFilter,
        ("user", AutocompleteSelectFilter),
        ("created_at", DayRangeFilter),
    )
    list_filter_submit = True
    list_select_related = ("user",)
    list_before_template = "admin/llm/llmcall/totals.html"
    ordering = ("-created_at", "-id")
    sortable_by = ()
    fields = readonly_fields = (
        "created_at",
        "user",
        "conversation_link",
        "purpose",
        "provider",
        "model",
        "attempt",
        "place",
        "outcome",
        "error",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "estimated",
        "cost_label",
        "prices",
        "latency",
        "request_id",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LLMCall | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LLMCall | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[LLMCall]:
        """A filter that no index answers looks at the last days alone, unless others are given: it may find nothing,
        and would read the whole ledger to know.
        """
        calls: QuerySet[LLMCall] = super().get_queryset(request)
        return recent(calls) if SOUGHT & request.GET.keys() and not _is_bounded(request) else calls

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below the totals of what the filters let through."""
        response: HttpResponse = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            calls = response.context_data["cl"].queryset
            bounded = _is_bounded(request)
            days = spent_by_day(calls if bounded else recent(calls))
            period = "the chosen period" if bounded else f"the last {RECENT.days} days"
            response.context_data |= {"days": days, "total": summed(days), "period": period}
        return response

    @display(description="Outcome", label=OUTCOME_COLOURS)
    def outcome_label(self, call: LLMCall) -> str:
        return call.outcome

    @display(description="Cost, US$")
    def cost_label(self, call: LLMCall) -> str:
        return "not known" if call.cost is None else f"{call.cost:.6f}"

    @display(description="Prices, US$ per million tokens")
    def prices(self, call: LLMCall) -> str:
        return ", ".join(f"{name} {value}" for name, value in (call.price or {}).items()) or "not known"

    @display(description="Latency")
    def latency(self, call: LLMCall) -> str:
        return f"{call.latency_ms} ms"

    @display(description="Conversation")
    def conversation_link(self, call: LLMCall) -> str | None:
        if call.conversation_id is None:
            return None
        url = reverse("admin:conversations_conversation_change", args=[call.conversation_id])
        return format_html('<a href="{}">{}</a>', url, call.conversation_id)
