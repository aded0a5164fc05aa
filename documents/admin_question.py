"""The box on a document's page in the admin that tries a question: the real search, with its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from .admin_passages import page_of
from .embeddings.calls import booked_to
from .marking import excerpt
from .models import Document
from .search.explaining import explain_search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import QueryDict
    from django.utils.safestring import SafeString

    from .search.explaining import Explanation, HitFigures

MAX_QUESTION = 1_300  # in an address: its 8,190 bytes must hold them encoded
HITS = 10


class QuestionForm(forms.Form):
    """A question to this document."""

    question = forms.CharField(
        max_length=MAX_QUESTION,
        widget=UnfoldAdminTextInputWidget(
            {"placeholder": "What would a user ask?", "autocomplete": "off", "dir": "auto"}
        ),
    )


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit as a row of a table: `page` is that of its chunk on this page of the admin."""

    figures: HitFigures
    page: int
    text: SafeString


@dataclass(frozen=True, slots=True)
class Trial:
    """The form, and what the search found if there was a question that can be asked."""

    form: QuestionForm
    explanation: Explanation | None
    hits: tuple[ShownHit, ...]


def tried(document: Document, asked: QueryDict, *, user_id: int | None) -> Trial:
    """Search the document for `question`; embedding it is booked to the user who tries it."""
    form = QuestionForm(asked if "question" in asked else None)
    if document.status != Document.Status.READY or not form.is_valid():
        return Trial(form, None, ())
    with booked_to(user_id):
        explanation = explain_search(form.cleaned_data["question"], document_ids=[document.pk], limit=HITS)
    return Trial(form, explanation, tuple(_shown(explanation)))


def _shown(explanation: Explanation) -> Iterator[ShownHit]:
    for figures in explanation.hits:
        yield ShownHit(figures, page=page_of(figures.hit.position), text=excerpt(figures.hit.text, figures.marks))
