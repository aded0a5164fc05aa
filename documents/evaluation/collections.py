"""Reads the collections that search is measured on, from folders in one of two layouts.

`corpus.jsonl`, `queries.jsonl` and `qrels.tsv`, as in BEIR, each entry of the corpus a document; beside them
`conversations.jsonl` gives the turns before the questions. Or `questions.jsonl` and `corpora/*.md`, with gold spans.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Span = tuple[int, int]


class BadCollection(Exception):
    """A folder is in neither layout, or a file in it is broken; the message names the place."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of a collection; `path` is set when it is a file to be read as an upload would be."""

    id: str
    title: str = ""
    text: str = ""
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what answers it.

    Attributes:
        history: the user's turns before it, oldest first.
        relevant: entry id to grade, above 0.
        corpus: the only entry it is asked of; empty for all of them.
        spans: where the answer stands in that entry, in characters.
    """

    id: str
    text: str
    history: tuple[str, ...] = ()
    relevant: dict[str, int] = field(default_factory=dict)
    corpus: str = ""
    spans: tuple[Span, ...] = ()

    def spoiled(self, noise: Callable[[str, str], str]) -> Question:
        """The same question in other words."""
        return replace(self, text=noise(self.text, self.id))


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents and the questions that are asked of them."""

    name: str
    entries: tuple[Entry, ...]
    questions: tuple[Question, ...]


def read_collection(folder: Path) -> Collection:
    """The collection in a folder, with the folder's name.

    Raises:
        BadCollection: it cannot be read.
    """
    try:
        if (folder / "questions.jsonl").exists():
            entries, questions = _spans(folder)
        elif (folder / "corpus.jsonl").exists():
            entries, questions = _beir(folder)
        else:
            raise BadCollection(f"{folder} has neither a corpus.jsonl nor a questions.jsonl.")
    except (KeyError, TypeError, ValueError, OSError) as exc:
        raise BadCollection(f"{folder}: {type(exc).__name__} {exc}") from exc
    if not entries or not questions:
        raise BadCollection(f"{folder} has no documents, or no question with a known answer.")
    return Collection(name=folder.resolve().name, entries=tuple(entries), questions=tuple(questions))


def _beir(folder: Path) -> tuple[list[Entry], list[Question]]:
    entries = [
        Entry(id=str(line["_id"]), title=line.get("title") or "", text=_text(line))
        for line in _lines(folder / "corpus.jsonl")
    ]
    relevant = _qrels(folder)
    history = _histories(folder / "conversations.jsonl")
    questions = [
        Question(id=key, text=_text(line), history=history.get(key, ()), relevant=relevant[key])
        for line in _lines(folder / "queries.jsonl")
        if (key := str(line["_id"])) in relevant
    ]
    return entries, questions


def _qrels(folder: Path) -> dict[str, dict[str, int]]:
    """Question id to the grades above 0; the file may also lie in `qrels/test.tsv`, where BEIR puts it."""
    path = next((path for path in (folder / "qrels.tsv", folder / "qrels" / "test.tsv") if path.exists()), None)
    if path is None:
        raise BadCollection(f"{folder} has no qrels.tsv.")
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t"), start=1):
            try:
                question, entry, grade = row[0], row[1], int(row[2])
            except (IndexError, ValueError) as exc:
                if number == 1:  # the heading
                    continue
                raise BadCollection(f"{path}, line {number}: not three fields with a number last.") from exc
            if grade > 0:
                grades[question][entry] = grade
    return dict(grades)


def _histories(path: Path) -> dict[str, tuple[str, ...]]:
    """Question id to the user's turns before the last one, which is the question itself."""
    if not path.exists():
        return {}
    return {
        str(line["_id"]): tuple(text for speaker, text in line["turns"][:-1] if speaker == "user")
        for line in _lines(path)
    }


def _spans(folder: Path) -> tuple[list[Entry], list[Question]]:
    entries = [Entry(id=path.stem, path=path) for path in sorted((folder / "corpora").glob("*.md"))]
    questions = [
        Question(
            id=str(line["_id"]),
            text=_text(line),
            corpus=line["corpus"],
            spans=tuple((int(start), int(end)) for start, end in line["refs"]),
        )
        for line in _lines(folder / "questions.jsonl")
    ]
    if unknown := {question.corpus for question in questions} - {entry.id for entry in entries}:
        raise BadCollection(f"{folder}: questions of {', '.join(sorted(unknown))}, which is not in corpora/.")
    return entries, questions


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except ValueError as exc:
                raise BadCollection(f"{path}, line {number}: {exc}") from exc
            if not isinstance(entry, dict):
                raise BadCollection(f"{path}, line {number}: not an object.")
            yield entry


def _text(line: dict[str, Any]) -> str:
    text = line["text"]
    if not isinstance(text, str):
        raise TypeError(f"text of {line['_id']} is not a string")
    return text
