"""A quote is found where it stands now."""

from __future__ import annotations

import pytest

from documents.models import Document
from documents.quotes import Place, place_of
from tests.documents.passages import indexed

pytestmark = pytest.mark.django_db

TEXT = "Ünïcode 渡轮 first. The warranty is three years. The warranty is three years."
QUOTE = "The warranty is three years."


@pytest.mark.parametrize("start", [TEXT.index(QUOTE), TEXT.rindex(QUOTE)])
def test_a_quote_that_is_where_it_was_is_found_there(start: int) -> None:
    document = indexed(TEXT)
    assert place_of(QUOTE, document_id=document.pk, start=start) == Place(start, start + len(QUOTE), moved=False)


def test_a_quote_that_stands_elsewhere_is_found_where_it_is_first() -> None:
    document = indexed(f"A new beginning. {TEXT}")
    place = place_of(QUOTE, document_id=document.pk, start=TEXT.index(QUOTE))
    assert place is not None
    assert (document.content[place.start : place.end], place.moved) == (QUOTE, True)
    assert place.start == document.content.index(QUOTE)


@pytest.mark.parametrize(
    "quote", ["The warranty is two years.", "the warranty is three years.", "%", "_he warranty", ""]
)
def test_a_quote_that_is_not_there_is_not_found(quote: str) -> None:
    assert place_of(quote, document_id=indexed(TEXT).pk, start=3) is None


def test_a_document_without_text_has_no_quote() -> None:
    assert place_of(QUOTE, document_id=indexed(" ").pk, start=0) is None


def test_a_deleted_document_is_told_apart() -> None:
    with pytest.raises(Document.DoesNotExist):
        place_of(QUOTE, document_id=1, start=0)
