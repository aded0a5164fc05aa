"""SQLite and PostgreSQL give the same ranked list for the same question and the same documents."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from botgpt.operations.demo import FOLDER
from documents.evaluation.collections import Entry
from documents.evaluation.run import ingest, scratch_database
from documents.models import Chunk
from documents.search import search_chunks
from tests.postgresql import start_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_django import DjangoDbBlocker

SENTENCES = """
    The ferry leaves the northern harbour at seven. Tickets are sold on board in winter. Dogs need a ticket, too.
    Bicycles travel free of charge. Die Fähre fährt um sieben Uhr ab. Im Winter werden Fahrkarten an Bord verkauft.
    Hunde brauchen eine eigene Fahrkarte. Le bac quitte le port du nord à sept heures. Les vélos voyagent gratuitement.
    Паром отходит в семь часов утра. 渡轮七点离开北港. 冬天在船上售票. เรือออกเวลาเจ็ดโมงเช้า. تغادر العبارة في السابعة
"""


@pytest.fixture(scope="module")
def server(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock():
        yield os.environ.get("TEST_DATABASE_URL") or start_postgresql()


def handbook() -> list[Entry]:
    """The demo's Markdown and HTML as files, read as an upload is."""
    return [Entry(id=path.name, path=path) for path in sorted(FOLDER.glob("*.md"))]


def many_languages() -> list[Entry]:
    """Sixty notes of sentences in seven scripts, shuffled."""
    shuffled = random.Random(7)
    sentences = [" ".join(sentence.split()) for sentence in SENTENCES.split(". ")]
    return [Entry(id=str(i), title=f"Note {i}", text=". ".join(shuffled.choices(sentences, k=12))) for i in range(60)]


def ranked(entries: Sequence[Entry], *, server: str | None) -> tuple[list[list[tuple[str, int]]], list[list[float]]]:
    """For a question made of the words of each chunk: what is found, as (entry, position), and the scores."""
    with scratch_database(server=server):
        names = {document: entry for entry, document in ingest(entries).items()}
        texts = Chunk.objects.order_by("document_id", "position").values_list("text", flat=True)
        questions = [" ".join(text.split()[3:9]) for text in texts]
        results = [search_chunks(question, document_ids=list(names), limit=20) for question in questions]
        places = [[(names[hit.document_id], hit.position) for hit in result.hits] for result in results]
        return places, [[hit.score for hit in result.hits] for result in results]


@pytest.mark.parametrize("entries", [handbook(), many_languages()], ids=["handbook", "languages"])
def test_both_engines_rank_every_question_alike(
    entries: list[Entry], server: str, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        places, scores = ranked(entries, server=None)
        places_on_postgresql, scores_on_postgresql = ranked(entries, server=server)
    assert len(places) > 5
    assert all(places)
    assert places_on_postgresql == places
    for there, here in zip(scores_on_postgresql, scores, strict=True):
        assert there == pytest.approx(here, abs=1e-4)
