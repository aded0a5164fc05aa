"""From a question to the numbered passages that go into the prompt."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from documents.embeddings.calls import booked_to
from documents.search import search_chunks
from documents.search.packing import pack

from .events import retrieved
from .suspicion import kinds_of_instructions
from .types import Passage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.search.packing import Packed

    from .types import Attribution

logger = logging.getLogger(__name__)

HITS = 20  # more than the packed characters can hold, so that merging neighbours has something to merge
MAX_CHARS = 5_000  # held .924 of the gold spans wholly, for about 1,330 tokens


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found. `relevant` is false when the documents do not seem to answer the question."""

    passages: tuple[Passage, ...]
    relevant: bool


def retrieve(
    question: str, *, document_ids: Sequence[int], attribution: Attribution, earlier_questions: Sequence[str] = ()
) -> Retrieval:
    """Search the documents and pack the best chunks into passages, in document order, numbered from 1.

    Args:
        attribution: whom embedding the question is booked to.
        earlier_questions: the user's earlier turns, oldest first; a follow-up is read in their light.
    """
    began = time.perf_counter()
    with booked_to(attribution.user_id, reference=attribution):
        result = search_chunks(question, document_ids=document_ids, limit=HITS, history=earlier_questions)
    retrieved.send_robust(sender=None, seconds=time.perf_counter() - began, relevant=result.relevant)
    if not result.relevant:
        return Retrieval(passages=(), relevant=False)
    passages = tuple(
        _passage(packed, number=number) for number, packed in enumerate(pack(result.hits, max_chars=MAX_CHARS), start=1)
    )
    _warn(passages)
    return Retrieval(passages=passages, relevant=True)


def _passage(packed: Packed, *, number: int) -> Passage:
    passage = Passage(
        number=number,
        document_id=packed.document_id,
        filename=packed.filename,
        start=packed.start,
        end=packed.end,
        text=packed.text,
        score=packed.score,
        chunks=packed.chunks,
        keyword_rank=packed.keyword_rank,
        vector_rank=packed.vector_rank,
    )
    flags = kinds_of_instructions(f"{packed.filename}\n{packed.text}")
    if not flags:
        return passage
    texts = {
        chunk.chunk_id: packed.text[chunk.start - packed.start : chunk.end - packed.start] for chunk in packed.chunks
    }
    flagged = tuple(chunk_id for chunk_id, text in texts.items() if kinds_of_instructions(text))
    # By none of its chunks alone: then it is the name, or where two of them meet, and all of them are meant.
    return replace(passage, flags=flags, flagged_chunks=flagged or tuple(texts))


def _warn(passages: Sequence[Passage]) -> None:
    flagged = [passage for passage in passages if passage.flags]
    if flagged:
        logger.warning(
            "%s of %s passages read like instructions to a model (%s): chunks %s",
            len(flagged),
            len(passages),
            ", ".join(sorted({flag for passage in flagged for flag in passage.flags})),
            [chunk_id for passage in flagged for chunk_id in passage.flagged_chunks],
        )
