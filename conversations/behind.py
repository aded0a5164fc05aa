"""What a reply was made of: what was sent with its question, what was dropped, and the attempts in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from documents.models import Chunk
from llm.models import LLMCall

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .models import Message


@dataclass(frozen=True, slots=True)
class Behind:
    """Of one reply.

    Attributes:
        report: see `llm.context.Context.report`; empty when nothing was sent.
        tokens: sent in all, as estimated.
        passages: as they were sent, each with its place by score, and whether it is in its document as it was.
        calls: the attempts in the ledger; None for whoever may not read it.
        cost: of those whose cost is known.
    """

    report: Mapping[str, Any]
    tokens: int
    passages: tuple[tuple[int, Mapping[str, Any], bool], ...]
    calls: tuple[LLMCall, ...] | None
    cost: Decimal
    unpriced: int


def behind(messages: Collection[Message], *, with_calls: bool) -> dict[int, Behind]:
    """What is behind each of the replies among these messages, by two queries.

    Args:
        with_calls: whether to show the ledger.
    """
    replies = [message for message in messages if message.role == message.Role.ASSISTANT]
    calls = _calls([reply.pk for reply in replies]) if with_calls else None
    intact = _chunks_there(replies)
    return {
        reply.pk: _behind(reply.context or {}, None if calls is None else calls.get(reply.pk, ()), intact=intact)
        for reply in replies
    }


def _calls(messages: Sequence[int]) -> dict[int, list[LLMCall]]:
    found: dict[int, list[LLMCall]] = {}
    for call in LLMCall.objects.filter(message__in=messages).order_by("id"):
        found.setdefault(call.message_id or 0, []).append(call)
    return found


def _chunks_there(messages: Collection[Message]) -> set[int]:
    """Of the chunks that were sent, those that are as they were: reading a document anew replaces all of its chunks."""
    sent = {
        key
        for message in messages
        for passage in (message.context or {}).get("passages", [])
        for key in passage["chunk_ids"]
    }
    return set(Chunk.objects.filter(pk__in=sent).values_list("pk", flat=True))


def _behind(report: Mapping[str, Any], calls: Sequence[LLMCall] | None, *, intact: set[int]) -> Behind:
    passages = report.get("passages", [])
    by_score = sorted(range(len(passages)), key=lambda place: -passages[place]["score"])
    costs = [call.cost for call in calls or ()]
    return Behind(
        report=report,
        tokens=sum(report.get("tokens", {}).values()),
        passages=tuple(
            (by_score.index(place) + 1, passage, intact.issuperset(passage["chunk_ids"]))
            for place, passage in enumerate(passages)
        ),
        calls=None if calls is None else tuple(calls),
        cost=sum((cost for cost in costs if cost is not None), Decimal(0)),
        unpriced=costs.count(None),
    )
