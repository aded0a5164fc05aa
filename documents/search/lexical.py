"""The keyword index: one compact inverted index a document, and exact BM25 over the documents of a question.

An index is bytes, little-endian: the header; the hashes of its terms, ascending; the end of each term's postings; of
each posting the chunk; the length of each chunk in terms; of each posting how often the term is in that chunk; padding
to 8 bytes. The indexes of a scope are read at once and joined, so that scoring has no loop over documents.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from .languages import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

VERSION = 1  # raise it when the layout, the analysis or the chunking changes: `reindex` then rebuilds every document
K1 = 1.2
B = 0.75

# version, wide, language, chunks, terms, postings
HEADER = struct.Struct("<BBHIII")
ALIGNMENT = 8
# Of a posting: its chunk, how often the term is in it. Few documents need the wide form.
NARROW = (np.dtype("<u2"), np.dtype("u1"))
WIDE = (np.dtype("<u4"), np.dtype("<u2"))
HASH, END, LENGTH = np.dtype("<u8"), np.dtype("<u4"), np.dtype("<u2")


def term_hashes(terms: Iterable[str]) -> NDArray[np.uint64]:
    """64 bits a term, the same in every process: two of a million terms collide once in 37 million collections."""
    digests = b"".join([blake2b(term.encode(), digest_size=8).digest() for term in terms])
    return np.frombuffer(digests, dtype=HASH)


def build(chunks: Iterable[Sequence[str]], *, language: int) -> bytes:
    """The index of a document from the terms of its chunks, in order, with repetitions.

    Postings are kept as machine numbers: as Python's own, those of a long document would take ten times its size.

    Args:
        language: whose stemmer made the terms; a question is stemmed the same way before it is looked up.
    """
    numbers: dict[str, int] = {}
    words, positions, counts, lengths = (array("I") for _ in range(4))
    for position, terms in enumerate(chunks):
        lengths.append(len(terms))
        for term, count in Counter(terms).items():
            words.append(numbers.setdefault(term, len(numbers)))
            positions.append(position)
            counts.append(count)
    hashes = term_hashes(numbers)
    order = np.argsort(hashes)
    ranks = np.empty(len(order), dtype=np.uint32)
    ranks[order] = np.arange(len(order), dtype=np.uint32)
    ranked = ranks[_numbers(words)]
    by_term = np.argsort(ranked, kind="stable")  # within a term the order of the chunks stays
    wide = len(lengths) > np.iinfo(NARROW[0]).max or max(counts, default=0) > np.iinfo(NARROW[1]).max
    chunk_type, count_type = WIDE if wide else NARROW
    index = b"".join(
        (
            HEADER.pack(VERSION, wide, language, len(lengths), len(numbers), len(words)),
            hashes[order].tobytes(),
            np.cumsum(np.bincount(ranked, minlength=len(numbers)), dtype=END).tobytes(),
            _numbers(positions)[by_term].astype(chunk_type).tobytes(),
            _numbers(lengths).astype(LENGTH).tobytes(),
            _numbers(counts)[by_term].astype(count_type).tobytes(),
        )
    )
    return index + bytes(-len(index) % ALIGNMENT)


def _numbers(values: array[int]) -> NDArray[np.uint32]:
    return np.frombuffer(values, dtype=np.uintc) if values else np.empty(0, dtype=np.uintc)


def is_current(index: bytes | memoryview, *, chunks: int) -> bool:
    """Whether the index can be searched: of this version, and of so many chunks."""
    return len(index) >= HEADER.size and index[0] == VERSION and HEADER.unpack_from(index)[3] == chunks


@dataclass(frozen=True, slots=True)
class Postings:
    """Where words occur in a scope, one element an occurrence: which word, in which chunk, how often there."""

    word: NDArray[np.intp]
    chunk: NDArray[np.intp]
    count: NDArray[np.float64]

    @staticmethod
    def joined(parts: Sequence[Postings]) -> Postings:
        nowhere = np.empty(0, dtype=np.intp)
        return Postings(
            np.concatenate([nowhere, *(part.word for part in parts)]),
            np.concatenate([nowhere, *(part.chunk for part in parts)]),
            np.concatenate([np.empty(0), *(part.count for part in parts)]),
        )


class Scope:
    """The indexes of the documents that a question is asked of.

    Chunks are numbered through: those of the first document, then those of the second, and so on.

    Attributes:
        documents: id and number of chunks of each.
        size: how many chunks there are.
        languages: of the documents, that of the most chunks first; English when there are none.
    """

    def __init__(self, documents: Iterable[tuple[int, int, bytes | memoryview]]) -> None:
        """From (id, number of chunks, index) of each; one that is not current counts as one without terms."""
        joined = bytearray()  # grows in place: the indexes of a large scope are not held twice
        starts, first_chunks = [], []
        self.documents: list[tuple[int, int]] = []
        self.size = 0
        for key, chunks, index in documents:
            if is_current(index, chunks=chunks):
                starts.append(len(joined))
                first_chunks.append(self.size)
                joined += index
            self.documents.append((key, chunks))
            self.size += chunks
        self._bytes = joined
        self._starts = np.array(starts, dtype=np.intp)
        self._first_chunks = np.array(first_chunks, dtype=np.intp)
        heads = np.frombuffer(self._bytes, dtype=np.uint8)[self._starts[:, None] + np.arange(HEADER.size)]
        self._wide = heads[:, 1].astype(bool)
        self._languages = np.ascontiguousarray(heads[:, 2:4]).view("<u2")[:, 0]
        self._chunks, self._terms, self._postings = np.ascontiguousarray(heads[:, 4:]).view("<u4").astype(np.intp).T
        self._ends_at = self._starts + HEADER.size + self._terms * HASH.itemsize
        self._postings_at = self._ends_at + self._terms * END.itemsize
        chunk_size = np.where(self._wide, WIDE[0].itemsize, NARROW[0].itemsize)
        self._lengths_at = self._postings_at + self._postings * chunk_size
        self._counts_at = self._lengths_at + self._chunks * LENGTH.itemsize

        self.lengths = np.zeros(self.size)
        lengths = self._view(LENGTH)[_ranges(self._lengths_at // LENGTH.itemsize, self._chunks)]
        self.lengths[_ranges(self._first_chunks, self._chunks)] = lengths
        self.average_length = float(self.lengths.mean()) if self.size else 0.0
        frequency = np.bincount(self._languages, weights=self._chunks)
        by_frequency = np.argsort(-frequency, kind="stable").tolist()
        self.languages = [language for language in by_frequency if frequency[language]] or [ENGLISH]

    def find(self, spellings: Callable[[int], Mapping[str, int]]) -> Postings:
        """Where words occur.

        Args:
            spellings: from a language to its terms, each with the number of the word that it stands for.
        """
        wanted = {language: _hashed(spellings(language)) for language in self.languages}
        # A table of the low 16 bits tells most terms apart at once; what it lets through is compared in full.
        maybe = np.zeros(1 << 16, dtype=bool)
        for hashes, _ in wanted.values():
            maybe[hashes.view("<u2")[::4]] = True
        places = np.flatnonzero(maybe[self._view(np.dtype("<u2"))[::4]])
        documents = np.searchsorted(self._starts, places * HASH.itemsize, side="right") - 1
        terms = places - (self._starts[documents] + HEADER.size) // HASH.itemsize
        inside = (terms >= 0) & (terms < self._terms[documents])  # not bytes of another section
        places, documents, terms = places[inside], documents[inside], terms[inside]
        found = []
        for language, (hashes, numbers) in wanted.items():
            if not len(hashes):
                continue
            here = self._view(HASH)[places]
            nearest = np.minimum(np.searchsorted(hashes, here), len(hashes) - 1)
            equal = (hashes[nearest] == here) & (self._languages[documents] == language)
            for wide in (False, True):
                chosen = equal & (self._wide[documents] == wide)
                found.append(self._read(documents[chosen], terms[chosen], numbers[nearest[chosen]], wide=wide))
        return Postings.joined(found)

    def _read(
        self, documents: NDArray[np.intp], terms: NDArray[np.intp], words: NDArray[np.intp], *, wide: bool
    ) -> Postings:
        """The postings of terms, each given by its document and its place there."""
        chunk_type, count_type = WIDE if wide else NARROW
        ends = self._view(END)
        ends_at = self._ends_at[documents] // END.itemsize + terms
        ends_before = np.where(terms > 0, ends[ends_at - 1], 0).astype(np.intp)
        counts = ends[ends_at] - ends_before
        chunks_at = _ranges(self._postings_at[documents] // chunk_type.itemsize + ends_before, counts)
        counts_at = _ranges(self._counts_at[documents] // count_type.itemsize + ends_before, counts)
        return Postings(
            word=np.repeat(words, counts),
            chunk=self._view(chunk_type)[chunks_at] + np.repeat(self._first_chunks[documents], counts),
            count=self._view(count_type)[counts_at].astype(np.float64),
        )

    def _view(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.frombuffer(self._bytes, dtype=dtype)

    def idf(self, postings: Postings, *, words: int, population: int = 0) -> NDArray[np.float64]:
        """ln(1 + (N - df + .5) / (df + .5)) of each of so many words.

        Args:
            population: N if it is more than the number of chunks in the scope.
        """
        df = np.bincount(postings.word, minlength=words)
        inverse: NDArray[np.float64] = np.log1p((max(self.size, population) - df + 0.5) / (df + 0.5))
        return inverse

    def bm25(self, postings: Postings, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of every chunk: the sum of weight * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average)).

        `weights` has one value a word: its idf times its weight in the question.
        """
        parts = self.parts(postings, weights)
        # Without a weight numpy counts in integers, also when there is nothing to count.
        return np.bincount(postings.chunk, weights=parts, minlength=self.size).astype(np.float64)

    def parts(self, postings: Postings, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each occurrence adds to the score of its chunk, see `bm25`."""
        norms = K1 * (1 - B + B * self.lengths[postings.chunk] / (self.average_length or 1.0))
        added: NDArray[np.float64] = weights[postings.word] * postings.count * (K1 + 1) / (postings.count + norms)
        return added


def _hashed(numbers: Mapping[str, int]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """Hashes, ascending, and the number that belongs to each."""
    hashes = term_hashes(numbers)
    order = np.argsort(hashes)
    return hashes[order], np.fromiter(numbers.values(), dtype=np.intp, count=len(numbers))[order]


def _ranges(starts: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """start, start + 1, ... for so many numbers each, one range behind the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + counts, counts)
