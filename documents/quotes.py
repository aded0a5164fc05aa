"""Where a quote stands in its document now, which may have changed since it was cited."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Value
from django.db.models.functions import StrIndex, Substr

from .models import Document


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a document's text; `moved` when the quote stood elsewhere when it was cited."""

    start: int
    end: int
    moved: bool


def place_of(quote: str, *, document_id: int, start: int) -> Place | None:
    """Where the quote is: at `start`, or else where the text has it first; None if it is not there any more.

    The text stays in the database: it can be megabytes.

    Raises:
        Document.DoesNotExist: it was deleted.
    """
    found = Document.objects.annotate(
        there=Substr("content", start + 1, max(len(quote), 1)), place=StrIndex("content", Value(quote))
    ).values_list("there", "place")
    there, place = found.get(pk=document_id)
    if there == quote:
        return Place(start, start + len(quote), moved=False)
    return Place(place - 1, place - 1 + len(quote), moved=True) if quote and place else None
