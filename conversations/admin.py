"""The admin of conversations: found by title and user, read as a transcript, deleted, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import IntegerField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from llm.admin_filters import DayRangeFilter

from .models import Conversation

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MODE_COLOURS = {"rag": "primary", "open": "info"}
MESSAGES_PER_PAGE = 20


def _counted(path: str) -> Cast:
    """A number out of what is stored of a reply's making, without the rest of it; see `llm.context.Context.report`."""
    return Cast(KT(f"context__{path}"), IntegerField())


@admin.register(Conversation)
class ConversationAdmin(ModelAdmin):
    """Conversations, read-only: what was said stays as it was said."""

    list_display = ("headline", "user", "mode_label", "message_count", "activity_at", "created_at")
    list_filter = (
        ("mode", ChoicesDropdownFilter),
        ("user", AutocompleteSelectFilter),
        ("created_at", DayRangeFilter),
    )
    list_filter_submit = True
    list_select_related = ("user",)
    search_fields = ("title", "user__username")
    search_help_text = "Title or username"
    ordering = ("-id",)
    sortable_by = ()
    change_form_outer_after_template = "admin/conversations/conversation/transcript.html"
    fields = readonly_fields = (
        "owner",
        "mode",
        "grounded_in",
        "summary",
        "message_count",
        "created_at",
        "activity_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Conversation, **kwargs: Any
    ) -> HttpResponse:
        rows = (
            obj.messages.defer("context")
            .annotate(flagged=_counted("flagged__passages"), links_removed=_counted("links_removed"))
            .order_by("created_at", "id")
        )
        context["page"] = Paginator(rows, MESSAGES_PER_PAGE).get_page(request.GET.get("page"))
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response

    @display(description="Title")
    def headline(self, conversation: Conversation) -> str:
        return str(conversation)

    @display(description="Mode", label=MODE_COLOURS)
    def mode_label(self, conversation: Conversation) -> str:
        return conversation.mode

    @display(description="User")
    def owner(self, conversation: Conversation) -> str:
        url = reverse("admin:accounts_user_change", args=[conversation.user_id])
        return format_html('<a href="{}">{}</a>', url, conversation.user)

    @display(description="Documents")
    def grounded_in(self, conversation: Conversation) -> str:
        links = conversation.document_links.values_list("document_id", "document__filename")
        return format_html_join(
            ", ",
            '<a href="{}">{}</a>',
            ((reverse("admin:documents_document_change", args=[pk]), filename) for pk, filename in links),
        )
