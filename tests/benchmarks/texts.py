"""Texts and questions made on the spot, the same ones for the same seed, distributed like written English."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from documents.evaluation.noise import typo
from documents.types import Extracted, Heading

if TYPE_CHECKING:
    from collections.abc import Sequence

VOCABULARY = 50_000
SHIFT = 2.7  # of the Zipf-Mandelbrot law: the word of rank r is drawn in proportion to 1 / (r + 2.7)
TOPIC_WORDS = 30  # of a document: words that come back in it, as names and subjects do
TOPIC_SHARE = 0.15
CHUNK_WORDS = 95  # what a chunk adds to the one before it, about
MEDIAN_CHUNKS, SPREAD, MOST_CHUNKS = 15, 0.9, 200  # of a document: log-normal, as collections of files are
TYPO_EVERY = 10

# The most frequent words, in order: they tell the language, and half of any text is made of them.
FUNCTION_WORDS = """
    the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which
    one you were all her she there would their we him been has when who will no more if out so what up its about into
    than them can only other time new some could these two may first then do any like my now over such our man me even
    most made after also did many off before must well back through years where much your way down should because each
""".split()
SYLLABLES = [onset + vowel for onset in "b c d f g h l m n p r s t v w br st tr pl ch".split() for vowel in "aeiou"]
ENDINGS = ["", "", "n", "r", "s", "t", "l", "ing", "ed", "tion", "er", "ment"]


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A document before it is a file or a row."""

    title: str
    sections: tuple[Section, ...]

    def extracted(self) -> Extracted:
        """As the reader of a file would give it."""
        parts: list[str] = []
        headings = []
        at = 0
        for section in self.sections:
            headings.append(Heading(start=at, level=1, text=section.heading))
            for part in (section.heading, *section.paragraphs):
                parts.append(part)
                at += len(part) + 2
        return Extracted(text="\n\n".join(parts), media_type="text/plain", headings=tuple(headings))


class Writer:
    """Writes documents and questions, one after the other."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._words = np.array(_vocabulary(self._random), dtype=object)
        shares = 1 / (np.arange(1, VOCABULARY + 1) + SHIFT)
        self._cumulated = np.cumsum(shares / shares.sum())

    def document(self, *, chunks: int | None = None) -> Text:
        """A document of about so many chunks; by default of a length that is drawn, too."""
        if chunks is None:
            drawn = MEDIAN_CHUNKS * self._random.lognormal(0, SPREAD)
            chunks = int(np.clip(drawn, 1, MOST_CHUNKS))
        topic = self._topic()
        sentences = self._sentences(chunks * CHUNK_WORDS, topic)
        paragraphs = [" ".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4)]
        sections = tuple(
            Section(heading=self._title(topic), paragraphs=tuple(paragraphs[at : at + 8]))
            for at in range(0, len(paragraphs), 8)
        )
        return Text(title=self._title(topic), sections=sections)

    def question(self, text: str, *, number: int) -> str:
        """One that a passage answers: some of its longer words in a sentence. Every tenth has a typo."""
        told = sorted({word.strip(".,").lower() for word in text.split() if len(word) > 4} - set(FUNCTION_WORDS))
        words = self._random.permutation(told)[: int(self._random.integers(3, 7))].tolist()
        middle = len(words) // 2
        question = f"What does the {' '.join(words[:middle])} have to do with {' '.join(words[middle:])}?"
        return typo(question, str(number)) if number % TYPO_EVERY == TYPO_EVERY - 1 else question

    def pick(self, count: int, *, of: int) -> list[int]:
        """Different numbers below `of`, in random order."""
        numbers: list[int] = self._random.permutation(of)[:count].tolist()
        return numbers

    def draw(self, count: int, *, of: int) -> list[int]:
        """Numbers below `of`, some of them perhaps more than once."""
        numbers: list[int] = self._random.integers(0, of, count).tolist()
        return numbers

    def _topic(self) -> Sequence[str]:
        ranks = np.exp(self._random.uniform(np.log(200), np.log(VOCABULARY), TOPIC_WORDS)).astype(int)
        topic: list[str] = self._words[ranks].tolist()
        return topic

    def _title(self, topic: Sequence[str]) -> str:
        return " ".join(topic[number] for number in self.draw(4, of=len(topic))).capitalize()

    def _sentences(self, words: int, topic: Sequence[str]) -> list[str]:
        drawn = self._words[np.searchsorted(self._cumulated, self._random.random(words))]
        on_topic = self._random.random(words) < TOPIC_SHARE
        drawn[on_topic] = np.array(topic, dtype=object)[self._random.integers(0, len(topic), int(on_topic.sum()))]
        ends = np.cumsum(self._random.integers(6, 28, words // 6 + 1))
        bounds = [0, *ends[ends < words].tolist(), words]
        return [" ".join(drawn[first:last]).capitalize() + "." for first, last in pairwise(bounds) if last > first]


def _vocabulary(random: np.random.Generator) -> list[str]:
    """Function words, then made-up ones that can be spoken; the rarer, the longer."""
    words = dict.fromkeys(FUNCTION_WORDS)
    while len(words) < VOCABULARY:
        length = 2 + int(random.integers(0, 2)) + (len(words) > VOCABULARY // 10)
        stem = "".join(SYLLABLES[number] for number in random.integers(0, len(SYLLABLES), length))
        words.setdefault(stem + ENDINGS[random.integers(0, len(ENDINGS))])
    return list(words)
