"""Uploading many files in the admin: the form, and what became of each file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html

from .errors import RejectedFile
from .ingestion import add_document
from .models import Document
from .queue import read_soon

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.core.files.uploadedfile import UploadedFile
    from django.http import HttpRequest

    from botgpt.accounts.models import User


class ManyFilesInput(forms.FileInput):
    """A file input that takes several; files can also be dropped on it."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """The files of the input, as a list. `add_document` checks each by itself, so that one bad file stops no other."""

    widget = ManyFilesInput

    def clean(self, data: Sequence[UploadedFile[bytes]] | None, initial: Any = None) -> list[UploadedFile[bytes]]:
        return [super(ManyFilesField, self).clean(file, initial) for file in data or (None,)]


class UploadForm(forms.Form):
    """What the upload page asks for."""

    def __init__(self, *args: Any, owner_field: forms.Field, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["files"] = ManyFilesField(allow_empty_file=True)
        self.fields["files"].help_text = (
            "Text, Markdown, HTML, PDF, DOCX, XLSX, CSV or JSON. "
            f"At most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} at once, each up to "
            f"{filesizeformat(settings.MAX_UPLOAD_BYTES)}. The same file twice is stored once."
        )
        self.fields["owner"] = owner_field
        owner_field.help_text = "Only the owner finds and cites the documents. Empty: they are shared with everyone."


def take_in(request: HttpRequest, *, files: Sequence[UploadedFile[bytes]], owner: User | None) -> Iterator[Document]:
    """Add each file and tell the uploader what became of it; gives the documents that are new."""
    for file in files:
        name = file.name or "document"
        try:
            document, created = add_document(owner=owner, file=file, filename=name, metadata={}, read=read_soon)
        except RejectedFile as exc:
            messages.error(request, f"{name} was not taken. {exc}")
            continue
        if created:
            yield document
        url = reverse("admin:documents_document_change", args=[document.pk])
        link = format_html('<a href="{}" class="underline">{}</a>', url, document.filename)
        if document.status == Document.Status.FAILED:
            messages.error(request, format_html("{} cannot be read. {}", link, document.error))
        elif not created:
            messages.warning(request, format_html("{} is there already: {}.", link, document.status))
        elif document.status != Document.Status.READY:
            messages.success(request, format_html("{} was taken and is going to be read.", link))
        else:
            messages.success(request, format_html("{} is ready, chunks: {}.", link, document.chunk_count))
