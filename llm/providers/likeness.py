"""Whether two questions ask the same thing, judged so that a doubt is a no: a cached answer must not be a wrong one.

Embeddings put opposites side by side (with and without a "not", before and after, two names the other way round), so a
near vector alone proves nothing. Alike are questions whose vectors are near and which say the same words in the same
order, but for case, inflection, punctuation and a few words that carry no meaning.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from documents.embeddings import embedder
from documents.embeddings.calls import booked_to
from documents.search.analysis import language_of, term

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llm.types import Attribution

SENTENCE_END = re.compile(r"[.,;:!?…¿¡]+(?=\s|$)|(?<!\S)[¿¡]")
WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]")
CONTRACTED_IS = re.compile(r"['’]s\b")
PADDING = frozenset("a an the please kindly is are do does can could may might hi hello hey thanks".split())


def gist(question: str) -> str:
    """What must be the same in two questions that are alike; signs like those of `3 + 4` and `C#` belong to it."""
    words = WORD_OR_SIGN.findall(_plain(question))
    language = language_of(" ".join(words))
    return " ".join(term(word, language) for word in words if word not in PADDING)


def vector(question: str, *, attribution: Attribution) -> NDArray[np.float32] | None:
    """The question's embedding, of length 1; None when no engine gives one."""
    engine = embedder()
    if engine is None:
        return None
    with booked_to(attribution.user_id, reference=attribution):
        row: NDArray[np.float32] = engine.embed([_plain(question)])[0]
    return row if row.any() else None


def _plain(question: str) -> str:
    folded = unicodedata.normalize("NFKC", question).casefold()
    return " ".join(SENTENCE_END.sub(" ", CONTRACTED_IS.sub(" is", folded)).split())
