"""The admin of documents: upload many at once, see what became of each, read the chunks, index anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from .admin_passages import shown_chunks
from .admin_question import tried
from .admin_upload import UploadForm, take_in
from .ingestion import process
from .models import Document

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

STATUS_COLOURS = {"pending": "info", "processing": "info", "ready": "success", "failed": "danger"}
CONVERSATIONS_COUNTED = 1_000
DATES = ("created_at", "updated_at")


class DocumentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """What can be changed of a document by hand; its text comes from its file alone."""

    class Meta:
        model = Document
        fields = ("filename", "owner", "metadata")
        help_texts: ClassVar = {
            "filename": "The search sees a new name after the document was indexed anew.",
            "owner": "Empty: shared with everyone. With an owner, it leaves the conversations of all others.",
        }

    def clean(self) -> None:
        """The database has the rule too; here it becomes a message."""
        owner = self.cleaned_data.get("owner")
        twins = Document.objects.filter(owner=owner, sha256=self.instance.sha256).exclude(pk=self.instance.pk)
        if twins.exists():
            self.add_error("owner", "A document with the very same bytes is there already.")


@admin.register(Document)
class DocumentAdmin(ModelAdmin):
    """Documents. Lists and pages never load the text or the index of a document."""

    form = DocumentForm
    list_display = (
        "filename",
        "owned_by",
        "state",
        "error_start",
        "readable_size",
        "page_count",
        "chunk_count",
        "created_at",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("owner", AutocompleteSelectFilter),
        ("created_at", admin.DateFieldListFilter),
    )
    list_filter_submit = True
    list_select_related = ("owner",)
    list_per_page = 50
    search_fields = ("filename",)
    ordering = ("-id",)
    sortable_by = ()
    autocomplete_fields = ("owner",)
    actions = ("reindex_selected",)
    change_form_outer_after_template = "admin/documents/document/reading.html"
    readonly_fields = (
        "seen_by",
        "state",
        "error",
        "download",
        "media_type",
        "readable_size",
        "page_count",
        "char_count",
        "chunk_count",
        "embedding_model",
        "version",
        "sha256",
        *DATES,
    )
    fieldsets = (
        (None, {"fields": ("filename", "owner", "seen_by", "metadata")}),
        ("Reading", {"fields": ("state", "error", "page_count", "char_count", "chunk_count", "embedding_model")}),
        ("File", {"fields": ("download", "media_type", "readable_size", "sha256", "version", *DATES)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return Document.objects.light()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/reindex/", view(self.reindex_view), name="documents_document_reindex"),
            path("<int:pk>/file/", view(self.file_view), name="documents_document_file"),
            *super().get_urls(),
        ]

    class Media:
        css: ClassVar = {"all": ["documents/reading.css"]}

    # --- Columns ------------------------------------------------------------------------------

    @display(description="Owner")
    def owned_by(self, document: Document) -> str:
        return "everyone" if document.owner is None else document.owner.username

    @display(description="Who may see it")
    def seen_by(self, document: Document) -> str:
        who = "Everyone" if document.owner is None else f"{document.owner.username} alone"
        links = document.conversation_links.all()[: CONVERSATIONS_COUNTED + 1].count()
        many = f"more than {CONVERSATIONS_COUNTED:,}" if links > CONVERSATIONS_COUNTED else links
        return f"{who}. Conversations grounded in it: {many}."

    @display(description="Status", label=STATUS_COLOURS)
    def state(self, document: Document) -> str | tuple[str, str]:
        if document.status == Document.Status.PROCESSING:
            return document.status, f"processing, {document.progress} %"
        return document.status

    @display(description="Error")
    def error_start(self, document: Document) -> str | None:
        return document.error[:80] or None

    @display(description="Size")
    def readable_size(self, document: Document) -> str:
        return filesizeformat(document.size)

    @display(description="File")
    def download(self, document: Document) -> str:
        url = reverse("admin:documents_document_file", args=[document.pk])
        return format_html('<a href="{}">Download</a>', url)

    # --- Upload -------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Many files at once. Not Django's own view: that one holds a transaction while it saves."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(
            request.POST or None,
            request.FILES or None,
            initial={"owner": request.user.pk},
            owner_field=self.formfield_for_foreignkey(Document._meta.get_field("owner"), request),
        )
        if request.method == "POST" and form.is_valid():
            for document in take_in(request, files=form.cleaned_data["files"], owner=form.cleaned_data["owner"]):
                self.log_addition(request, document, "Uploaded.")
            return HttpResponseRedirect(reverse("admin:documents_document_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Upload documents",
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/documents/document/upload.html", context | (extra_context or {}))

    # --- One document -------------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Document, **kwargs: Any
    ) -> HttpResponse:
        context["shown"] = shown_chunks(obj, request.GET)
        context["trial"] = tried(obj, request.GET, user_id=request.user.pk)
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)
        return response

    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        if "owner" in form.changed_data and obj.owner is not None:
            obj.conversation_links.exclude(conversation__user=obj.owner).delete()
        if {"filename", "metadata"} & set(form.changed_data) and obj.status == Document.Status.READY:
            process(obj)  # passages are found by the title, too

    def file_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file as it was uploaded, always as a download: it may be a page with scripts."""
        document = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, document):
            raise PermissionDenied
        return FileResponse(document.file.open("rb"), as_attachment=True, filename=document.filename)

    def reindex_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read the file anew, by POST alone."""
        document = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method != "POST" or not self.has_change_permission(request, document):
            raise PermissionDenied
        self._reindex(request, document)
        return HttpResponseRedirect(reverse("admin:documents_document_change", args=[pk]))

    @admin.action(description="Read and index anew", permissions=["change"])
    def reindex_selected(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        for document in queryset:
            self._reindex(request, document)

    def _reindex(self, request: HttpRequest, document: Document) -> None:
        process(document)
        self.log_change(request, document, "Read and indexed anew.")
        if document.error:
            level, outcome = messages.ERROR, document.error
        else:
            level, outcome = messages.SUCCESS, f"ready, chunks: {document.chunk_count}."
        self.message_user(request, f"{document.filename}: {outcome}", level)
