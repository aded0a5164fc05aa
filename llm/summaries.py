"""Folds the older part of a conversation into a running summary, so that nothing is lost when it gets long.

It is done while everything still fits, and further back than needed: half of the room that history has stays as it was
written. So a conversation costs one call each time it has grown by the other half, and between two calls the prompt
begins the same.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings

from documents.search.sentences import sentence_spans

from . import context, prompts, tokens
from .budgets import BudgetExceeded
from .errors import ProviderError
from .models import LLMCall
from .neutral import visible
from .providers import registry
from .reserving import reserved
from .types import ChatMessage, ChatRequest, HistoryMessage, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from documents.deadline import Deadline

    from .types import Attribution

logger = logging.getLogger(__name__)

MOST_FOLDED = 1_000  # messages that are looked at for one fold; a call takes some hundred at most
KEPT = 0.5  # of the room for history stays unsummarised
WORDS = 0.6  # a token; what the model is told, since it does not count tokens
THINKING_TOKENS = 1_000  # of a model that reasons, on top of the summary itself
CUT = " […] "


def is_due(report: dict[str, Any], *, reply: str) -> bool:
    """Whether something was dropped, or will be when the next question is as long as this one.

    Args:
        report: what was sent, see `Context.report`.
    """
    if not settings.SUMMARIZE_HISTORY or registry.is_offline():
        return False
    used: dict[str, int] = report["tokens"]
    coming = used["question"] + _factor() * (tokens.PER_MESSAGE + tokens.estimate(reply))
    return report["dropped_through"] is not None or sum(used.values()) + coming > report["limit"]


def older_part(history: Iterable[HistoryMessage], *, report: dict[str, Any]) -> list[HistoryMessage]:
    """What should be folded, oldest first: all but the newest turns that fill half of the room.

    The newest turn stays as long as it fits at all.

    Args:
        history: what is not summarised yet, newest first. It is read no further than `MOST_FOLDED` messages beyond what
            stays: where nothing was summarised for very long, what is older is left out for good.
    """
    used: dict[str, int] = report["tokens"]
    others = sum(used.values()) - used["history"] - used.get("summary", 0)
    room = (report["limit"] - others) / _factor() - settings.SUMMARY_TOKENS
    unread = iter(history)
    messages = []
    stay = cost = 0
    for count, message in enumerate(unread, start=1):
        messages.append(message)
        cost += context.cost_of(message)
        if cost > (room * KEPT if stay else room):
            break
        if message.role == "user":  # what stays begins with a question
            stay = count
    return [*messages[stay:], *islice(unread, MOST_FOLDED)][::-1]


def fold(
    summary: str, messages: Sequence[HistoryMessage], *, attribution: Attribution, deadline: Deadline
) -> Summary | None:
    """A summary of what was summarised before and of the messages, by the cheapest model of the chain.

    Args:
        messages: oldest first. Those that do not fit into one call are left for another: see how far the result goes.

    Returns:
        None when there is no model, it did not answer in time, or the user's budget does not cover it.
    """
    if not messages or registry.is_offline():
        return None
    provider = registry.cheapest()
    system = ChatMessage("system", prompts.SUMMARIZE.format(words=round(settings.SUMMARY_TOKENS * WORDS)))
    empty = [system, ChatMessage("user", prompts.folding(summary, ()))]
    room = settings.MAX_CONTEXT_TOKENS / _factor(provider.model) - tokens.estimate_messages(empty)
    taken = _oldest_that_fit(messages, room=room)
    if not taken:
        logger.warning("MAX_CONTEXT_TOKENS leaves no room to summarise anything")
        return None
    request = ChatRequest(
        messages=(system, ChatMessage("user", prompts.folding(summary, taken))),
        deadline=deadline,
        max_tokens=settings.SUMMARY_TOKENS + THINKING_TOKENS,
        temperature=0.0,
        attribution=replace(attribution, purpose=LLMCall.Purpose.SUMMARY),
    )
    try:
        with reserved(request, models=[(provider.name, provider.model)]):
            completion = provider.complete(request)
    except (ProviderError, BudgetExceeded) as exc:
        logger.warning("No model summarised the older messages: %s", exc)
        return None
    tokens.learn(
        model=completion.model,
        estimated=tokens.estimate_messages(request.messages),
        reported=completion.usage.prompt_tokens,
    )
    text = _whole_sentences(visible(completion.text).strip(), at_most=settings.SUMMARY_TOKENS)
    return Summary(text, through=taken[-1].id) if text else None


def _factor(model: str = "") -> float:
    """Real over estimated tokens, of one model or the worst of the chain."""
    models = [model] if model else [model for _, model in registry.parse_chain()]
    return tokens.correction(models) * tokens.HEADROOM


def _oldest_that_fit(messages: Sequence[HistoryMessage], *, room: float) -> list[HistoryMessage]:
    """The first messages, as many as there is room for; the very first is cut where it alone is too long."""
    taken: list[HistoryMessage] = []
    for message in messages:
        cost = _quoted_cost(message)
        if cost > room:
            break
        room -= cost
        taken.append(message)
    if taken:
        return taken
    shortened = _shortened(messages[0], room=room)
    return [shortened] if shortened else []


def _shortened(message: HistoryMessage, *, room: float) -> HistoryMessage | None:
    """Its beginning and its end, as much as there is room for; None when that is nothing."""
    half = len(message.content) // 2
    while half > 0:
        shortened = replace(message, content=message.content[:half] + CUT + message.content[-half:])
        cost = _quoted_cost(shortened)
        if cost <= room:
            return shortened
        half = int(half * min(0.9, max(room, 0) / cost))
    return None


def _quoted_cost(message: HistoryMessage) -> int:
    return tokens.estimate(prompts.folding("", [message]))


def _whole_sentences(text: str, *, at_most: int) -> str:
    """The beginning of the text, up to the last sentence end within so many estimated tokens."""
    if tokens.estimate(text) <= at_most:
        return text
    kept = ""
    for _, end in sentence_spans(text):
        if tokens.estimate(text[:end]) > at_most:
            break
        kept = text[:end].rstrip()
    if kept:
        return kept
    shortened = text
    while tokens.estimate(shortened) > at_most:
        shortened = shortened[: int(len(shortened) * 0.9)]
    return shortened.rstrip() + " …"
