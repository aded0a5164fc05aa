"""The admin of prices and budgets, and what of each budget is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from .budgets import spent
from .limits import dollars, limits_from
from .models import Allowance, Budget, ModelPrice

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(ModelPrice)
class ModelPriceAdmin(ModelAdmin):
    """Prices that go before the built-in list, also those of models that it does not know."""

    list_display = ("provider", "model", "input", "cached", "output", "valid_from")
    search_fields = ("provider", "model")
    ordering = ("provider", "model", "-valid_from", "id")
    sortable_by = ()


@admin.register(Budget)
class BudgetAdmin(ModelAdmin):
    """What single users may spend, in place of the defaults."""

    list_display = ("user", "day_tokens", "month_tokens", "day_cost", "month_cost")
    list_select_related = ("user",)
    autocomplete_fields = ("user",)
    search_fields = ("user__username__startswith",)
    search_help_text = "The beginning of a username"
    ordering = ("user_id",)
    sortable_by = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> tuple[str, ...]:
        return ("user",) if obj else ()


@admin.register(Allowance)
class AllowanceAdmin(ModelAdmin):
    """What users have spent in this day and month, and in what part of their budget; nothing here can be changed."""

    list_display = ("user", "day", "tokens_today", "cost_today", "tokens_this_month", "cost_this_month", "reserved")
    list_select_related = ("user__budget",)
    search_fields = ("user__username__startswith",)
    search_help_text = "The beginning of a username"
    ordering = ("user_id",)
    sortable_by = ()
    fields = readonly_fields = (*list_display, "warned")
    goes_with_owner = True  # it may not be deleted by itself, but is no reason to keep a user

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Allowance | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Allowance | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allowance]:
        rows: QuerySet[Allowance] = super().get_queryset(request).select_related("user__budget")
        return rows

    @display(description="Tokens today")
    def tokens_today(self, allowance: Allowance) -> str:
        return _part(allowance, "day_tokens")

    @display(description="Cost today, US$")
    def cost_today(self, allowance: Allowance) -> str:
        return _part(allowance, "day_cost")

    @display(description="Tokens this month")
    def tokens_this_month(self, allowance: Allowance) -> str:
        return _part(allowance, "month_tokens")

    @display(description="Cost this month, US$")
    def cost_this_month(self, allowance: Allowance) -> str:
        return _part(allowance, "month_cost")

    @display(description="Reserved")
    def reserved(self, allowance: Allowance) -> str:
        return f"{allowance.reserved_tokens:,} tokens, {dollars(allowance.reserved_cost):.6f} US$"


def _part(allowance: Allowance, scope: str) -> str:
    """`1,200 of 10,000 (12 %)`, or what was spent alone where there is no limit."""
    own: Any = getattr(allowance.user, "budget", None)
    used = spent(allowance, scope)
    limit = getattr(limits_from(own), scope)
    figure = f"{used:,}" if isinstance(used, int) else f"{used:.6f}"
    if limit is None:
        return figure
    return f"{figure} of {limit:,} ({100 * used / limit:.0f} %)" if limit else f"{figure} of 0"
