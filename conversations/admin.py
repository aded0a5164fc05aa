"""The admin of conversations: found by title and user, read as a transcript, deleted, never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import IntegerField, Q
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
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

MODE_COLOURS = {"rag": "primary", "open": "info"}
MESSAGES_PER_PAGE = 20
TITLES_SEARCHED = 100_000  # no index finds a part of a title, so a search of all would read the table
MOST_FOUND = 1_000


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
        ("activity_at", DayRangeFilter),
    )
    list_filter_submit = True
    list_select_related = ("user",)
    search_fields = ("title", "user__username")
    search_help_text = (
        f"The beginning of a username, or part of a title: of the newest {TITLES_SEARCHED:,}, or of all of a user's"
    )
    ordering = ("-activity_at", "-id")
    sortable_by = ()
    audit_reads = True
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """In two steps, so that each has its index: which titles and users, then what the list shows of them."""
        term = search_term.strip()
        if not term:
            return queryset, False
        searched = queryset
        if "user__id__exact" not in request.GET:
            newest = Conversation.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            searched = queryset.filter(pk__gt=newest - TITLES_SEARCHED)
        titled = searched.filter(title__icontains=term).order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND]
        named = get_user_model().objects.filter(username__startswith=term).values_list("pk", flat=True)[:MOST_FOUND]
        return queryset.filter(Q(pk__in=list(titled)) | Q(user__in=list(named))), False

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
