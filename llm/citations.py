"""From the marks that a model writes to citations that can be checked.

A mark counts only if it names a passage that was sent. Others are removed from the text: the model made them up.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from documents.search.analysis import terms
from documents.search.sentences import sentence_spans

from .markdown import code_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .types import Passage

# [1], [1, 2], and the form that the gpt-oss models were trained on: 【1†source】.
MARK = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]|【(\d{1,3})(?:†[^】]*)?】")


@dataclass(frozen=True, slots=True)
class CitedText:
    """An answer whose marks all hold, and its citations in the order of the marks."""

    text: str
    citations: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    numbers: tuple[int, ...]


def verify(text: str, *, passages: Sequence[Passage]) -> CitedText:
    """Remove the marks that name no passage, and resolve the others to quotes in their documents.

    A citation is a dict with the contract's fields: `start`, `end` (the sentence of the answer before the mark),
    `document_id`, `filename`, `chunk_id`, `page`, `quote`, `quote_start`, `quote_end` (in the document's text) and
    `score`. The quote is the sentence of the passage that shares most terms with the sentence of the answer.
    """
    by_number = {passage.number: passage for passage in passages}
    clean, marks = _rewrite(text, known=set(by_number))
    sentences = _sentences_without_marks(clean, marks)
    citations = [
        _cite(by_number[number], answer=clean, span=_span_before(mark, sentences))
        for mark in marks
        for number in mark.numbers
    ]
    return CitedText(text=clean, citations=tuple(citations))


def known_marks(text: str, *, known: set[int]) -> str:
    """The text with the marks of these passages alone, each written `[n]`."""
    return _rewrite(text, known=known)[0]


def cited_numbers(text: str) -> set[int]:
    """The passages that a text cites."""
    return {number for _, _, number in marks_in(text)}


def marks_in(text: str) -> Iterator[tuple[int, int, int]]:
    """(start, end, number of a passage) for each mark; of a verified text, one for each of its citations, in order."""
    code = code_spans(text)
    for match in MARK.finditer(text):
        if not _inside(match.start(), code):
            for number in re.findall(r"\d+", match[1] or match[2]):
                yield match.start(), match.end(), int(number)


def _rewrite(text: str, *, known: set[int]) -> tuple[str, list[_Mark]]:
    """The text with each mark written `[n]` or gone, and where the remaining ones stand."""
    code = code_spans(text)
    pieces: list[str] = []
    marks: list[_Mark] = []
    length = position = 0
    for match in MARK.finditer(text):
        if _inside(match.start(), code):
            continue
        before = text[position : match.start()]
        numbers = tuple(n for n in map(int, re.findall(r"\d+", match[1] or match[2])) if n in known)
        written = "".join(f"[{n}]" for n in numbers)
        if not written and (text[match.end() : match.end() + 1] or "\n") in " \n.,;:!?)":
            before = before.rstrip(" ")
        pieces += [before, written]
        length += len(before)
        if numbers:
            marks.append(_Mark(length, length + len(written), numbers))
        length += len(written)
        position = match.end()
    return "".join(pieces) + text[position:], marks


def _inside(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def _sentences_without_marks(text: str, marks: Sequence[_Mark]) -> list[tuple[int, int]]:
    """The sentences of the answer; marks are blanked first, since a mark may follow the full stop."""
    blank = text
    for mark in marks:
        blank = blank[: mark.start] + " " * (mark.end - mark.start) + blank[mark.end :]
    trimmed = []
    for start, end in sentence_spans(blank):
        sentence = blank[start:end]
        left = len(sentence) - len(sentence.lstrip())
        if sentence.strip():
            trimmed.append((start + left, start + len(sentence.rstrip())))
    return trimmed


def _span_before(mark: _Mark, sentences: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The sentence that the mark stands in or right behind, up to the mark."""
    index = bisect_right(sentences, mark.start, key=lambda span: span[0]) - 1
    if index < 0:
        return mark.start, mark.end
    start, end = sentences[index]
    return start, min(end, mark.start) if mark.start > start else end


def _cite(passage: Passage, *, answer: str, span: tuple[int, int]) -> dict[str, Any]:
    quote_start, quote_end = _best_sentence(passage, terms(answer[slice(*span)]))
    chunk = next((c for c in passage.chunks if c.start <= quote_start < c.end), passage.chunks[0])
    return {
        "start": span[0],
        "end": span[1],
        "document_id": passage.document_id,
        "filename": passage.filename,
        "chunk_id": chunk.chunk_id,
        "page": chunk.page_at(quote_start),
        "quote": passage.text[quote_start - passage.start : quote_end - passage.start],
        "quote_start": quote_start,
        "quote_end": quote_end,
        "score": round(passage.score, 4),
    }


def _best_sentence(passage: Passage, claim: Sequence[str]) -> tuple[int, int]:
    """Where the sentence that shares most terms with the claim stands in the document; the first one on a tie."""
    wanted = set(claim)

    def shared(span: tuple[int, int]) -> int:
        return len(wanted.intersection(terms(passage.text[slice(*span)])))

    start, end = max(_trimmed(passage.text), key=shared, default=(0, len(passage.text)))
    return passage.start + start, passage.start + end


def _trimmed(text: str) -> Iterator[tuple[int, int]]:
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        if sentence.strip():
            yield start + len(sentence) - len(sentence.lstrip()), start + len(sentence.rstrip())
