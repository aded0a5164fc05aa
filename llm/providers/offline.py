"""Answers without a language model, and says so: quotes from the passages, or what to configure."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.search.analysis import terms
from documents.search.sentences import sentence_spans
from llm.types import Completion, Delta, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm.types import ChatRequest, Passage, Piece

OFFLINE: Final = "offline"
SENTENCES = 3
SENTENCE_ENDS = tuple(".!?…。！？؟।")
TELLING_TERMS = 3  # what has fewer is a heading, which matches well and says nothing
WORTH_QUOTING = 0.5  # of the best sentence's score
QUOTE_CHARS = 400  # a table or a list may be one endless sentence
BULLETS = re.compile(r"(?:[-*+•#>]+\s+)+")  # what a list item or a heading begins with in its source
MARK_LIKE = re.compile(r"[\[【](\d[^\]】]*)[\]】]")

NO_MODEL = "No language model is configured"
QUOTING = f"{NO_MODEL}. These are the sentences of your documents that match the question best:"
NOTHING = f"{NO_MODEL}, and nothing relevant to this question was found in the documents."
OPEN = (
    f"{NO_MODEL}, so this question cannot be answered. Set GROQ_API_KEY in the server's environment and restart it; "
    "until then, only questions about documents (mode rag) get an answer, as quotes."
)


class Offline:
    """The provider of last resort. It writes nothing of its own and needs no network."""

    name = model = OFFLINE

    def complete(self, request: ChatRequest) -> Completion:
        """Quote what matches best, each sentence with its passage's mark; never fails."""
        if not request.grounded_mode:
            text = OPEN
        elif quotes := _best(request.question, request.passages):
            text = "\n".join([QUOTING, "", *(f"- {quote.text} [{quote.number}]" for quote in quotes)])
        else:
            text = NOTHING
        return Completion(text=text, model=self.model, provider=self.name, usage=Usage())

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """The same, in one piece."""
        completion = self.complete(request)
        yield Delta(completion.text)
        yield completion


@dataclass(frozen=True, slots=True)
class _Quote:
    number: int
    text: str
    terms: frozenset[str]
    passage_score: float


def _best(question: str, passages: Sequence[Passage]) -> list[_Quote]:
    """The sentences that share most with the question, in the order of the documents.

    A shared term counts by how rare it is among the sentences; of equals, the better passage's comes first. When no
    sentence shares a term, the passages were found by meaning alone, and the best one speaks with its beginning.
    """
    quotes = list({quote.text: quote for passage in passages for quote in _quotes(passage)}.values())
    if not quotes:
        return []
    frequency = Counter(term for quote in quotes for term in quote.terms)
    asked = set(terms(question))

    def score(quote: _Quote) -> float:
        return math.fsum(math.log(1 + len(quotes) / frequency[term]) for term in asked & quote.terms)

    ranked = sorted(quotes, key=lambda quote: (score(quote), quote.passage_score), reverse=True)
    telling = [quote for quote in ranked if score(quote) > 0 and len(quote.terms) >= TELLING_TERMS]
    # The line at a page's foot and the cell of a table match well, too; where there are whole sentences, those speak.
    telling = [quote for quote in telling if quote.text.endswith(SENTENCE_ENDS)] or telling
    chosen = [quote for quote in telling[:SENTENCES] if score(quote) >= WORTH_QUOTING * score(telling[0])]
    return [quote for quote in quotes if quote in (chosen or ranked[:1])]


def _quotes(passage: Passage) -> Iterator[_Quote]:
    for start, end in sentence_spans(passage.text):
        text = MARK_LIKE.sub(r"(\1)", " ".join(passage.text[start:end].split()))
        if bullet := BULLETS.match(text):
            text = text[bullet.end() :]
        if len(text) > QUOTE_CHARS:
            text = text[:QUOTE_CHARS].rsplit(" ", 1)[0] + " …"
        if text:
            yield _Quote(passage.number, text, frozenset(terms(text)), passage.score)
