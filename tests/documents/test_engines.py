"""SQLite and PostgreSQL give the same ranked list for the same question and the same documents."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from botgpt.operations.demo import FOLDER
from documents.evaluation.collections import Entry
from documents.evaluation.noise import typo
from documents.evaluation.run import ingest, scratch_database
from documents.search import search_chunks
from tests.documents.towns import PLACES, town
from tests.postgresql import start_postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_django import DjangoDbBlocker

pytestmark = pytest.mark.skipif(
    os.environ.get("TEST_ENGINE") == "postgresql", reason="the run on SQLite asks both engines"
)


@pytest.fixture(scope="module")
def server(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock():
        yield os.environ.get("TEST_DATABASE_URL") or start_postgresql()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the user's turns before it."""

    text: str
    history: tuple[str, ...] = ()


def notes() -> tuple[list[Entry], list[Asked]]:
    """Six languages of sixty notes, every sixth note twice; each asked for plainly, misspelt, or in two turns."""
    every = [note for language in PLACES for note in town(language)]
    told = [note.text for note in every] + [note.text for note in every[::6]]
    questions = [
        (
            Asked(note.question),
            Asked(typo(note.question, str(number))),
            Asked(f"{note.fact} Thanks, I am in a hurry.", history=("Is it far?", note.place)),
        )[number % 3]
        for number, note in enumerate(every)
    ]
    return [Entry(id=str(number), text=text) for number, text in enumerate(told)], questions


def chapters() -> tuple[list[Entry], list[Asked]]:
    """The demo's Markdown as files, read as an upload is, and thirty shuffled chapters of all the notes.

    Asked for by the words of each second note, so that many chunks nearly tie.
    """
    files = [Entry(id=path.name, path=path) for path in sorted(FOLDER.glob("*.md"))]
    every = [note for language in PLACES for note in town(language)]
    shuffled = random.Random(7)
    made = [
        Entry(id=str(number), title=f"Chapter {number}", text="\n".join(n.text for n in shuffled.choices(every, k=40)))
        for number in range(30)
    ]
    words = "\n".join(entry.path.read_text(encoding="utf-8") for entry in files if entry.path).split()
    of_files = [Asked(" ".join(words[start : start + 6])) for start in range(0, len(words), 6)]
    return files + made, of_files + [Asked(note.text) for note in every[::2]]


def ranked(
    entries: Sequence[Entry], questions: Sequence[Asked], *, server: str | None
) -> tuple[list[list[tuple[str, int]]], list[list[float]]]:
    """Of every question what is found, as (entry, position), and the scores."""
    with scratch_database(server=server):
        names = {document: entry for entry, document in ingest(entries).items()}
        results = [
            search_chunks(question.text, document_ids=list(names), limit=20, history=question.history)
            for question in questions
        ]
        places = [[(names[hit.document_id], hit.position) for hit in result.hits] for result in results]
        return places, [[hit.score for hit in result.hits] for result in results]


@pytest.mark.parametrize("collection", [notes, chapters])
def test_both_engines_rank_every_question_alike(
    collection: Callable[[], tuple[list[Entry], list[Asked]]], server: str, django_db_blocker: DjangoDbBlocker
) -> None:
    entries, questions = collection()
    with django_db_blocker.unblock():
        places, scores = ranked(entries, questions, server=None)
        places_on_postgresql, scores_on_postgresql = ranked(entries, questions, server=server)
    assert len(questions) >= 250
    assert sum(map(bool, places)) >= 0.98 * len(places)
    if collection is notes:
        assert sum(len(set(found)) < len(found) for found in scores) > 50  # ties, broken alike
    assert places_on_postgresql == places
    for there, here in zip(scores_on_postgresql, scores, strict=True):
        assert there == pytest.approx(here, abs=1e-4)
