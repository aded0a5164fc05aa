"""The admin of conversations: found by title and user, read as a transcript, deleted, never edited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from documents.models import Document
from documents.quotes import place_of
from llm.admin_filters import DayRangeFilter

from .models import Conversation
from .transcripts import transcript

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

MODE_COLOURS = {"rag": "primary", "open": "info"}
TITLES_SEARCHED = 100_000  # no index finds a part of a title, so a search of all would read the table
MOST_FOUND = 1_000


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
    fields = (("owner", "mode"), "grounded_in", "summary", "message_count", ("created_at", "activity_at"))
    readonly_fields = ("owner", "mode", "grounded_in", "summary", "message_count", "created_at", "activity_at")

    class Media:
        css: ClassVar = {"all": ["conversations/transcript.css"]}

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
        may_open = _may_open_documents(request)
        context["may_open_documents"] = may_open
        context["transcript"] = transcript(
            obj,
            request.GET,
            source_url=partial(_source_url, obj.pk) if may_open else None,
            with_calls=request.user.has_perm("llm.view_llmcall"),
        )
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response

    def get_urls(self) -> list[URLPattern]:
        source = self.admin_site.admin_view(self.source_view)
        address = "<int:pk>/messages/<int:message_pk>/sources/<int:index>/"
        return [path(address, source, name="conversations_conversation_source"), *super().get_urls()]

    def source_view(self, request: HttpRequest, pk: int, message_pk: int, index: int) -> HttpResponse:
        """Open what a reply cites: the passage in its document, or the quote as it was stored if it is not there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        conversation = get_object_or_404(self.get_queryset(request).select_related("user"), pk=pk)
        message = get_object_or_404(conversation.messages.only("citations"), pk=message_pk)
        if index >= len(message.citations):
            raise Http404
        citation = message.citations[index]
        self.log_read(request, conversation)
        may_open = _may_open_documents(request)
        if may_open and (passage := _passage_url(citation)):
            return HttpResponseRedirect(passage)
        context = {
            **self.admin_site.each_context(request),
            "title": "A source that cannot be opened",
            "opts": self.opts,
            "original": conversation,
            "message": message,
            "citation": citation,
            "media": self.media,
            "may_open": may_open,
            "document": Document.objects.filter(pk=citation["document_id"]).only("filename").first(),
        }
        return TemplateResponse(request, "admin/conversations/conversation/source.html", context)

    def log_read(self, request: HttpRequest, conversation: Conversation) -> None:
        """Called whenever something of a transcript was read; the site's audit log hears of it."""

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


def _source_url(conversation: int, message: int, index: int) -> str:
    return reverse("admin:conversations_conversation_source", args=[conversation, message, index])


def _may_open_documents(request: HttpRequest) -> bool:
    return request.user.has_perm("documents.view_document") or request.user.has_perm("documents.change_document")


def _passage_url(citation: Mapping[str, Any]) -> str:
    """Where the page of its document shows the quote; empty if the document has it no more."""
    key = citation["document_id"]
    try:
        place = place_of(citation["quote"], document_id=key, start=citation["quote_start"])
    except Document.DoesNotExist:
        return ""
    if place is None:
        return ""
    moved = "&moved=1" if place.moved else ""
    page = reverse("admin:documents_document_change", args=[key])
    return f"{page}?passage={place.start}-{place.end}{moved}#passage"
