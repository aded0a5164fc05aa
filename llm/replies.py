"""The front door: a question and its history go in, a reply comes out, whatever the providers do."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from itertools import islice, tee
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings

from documents.connections import release_connection
from documents.deadline import Deadline

from . import context, prompts, tokens
from .answers import checked
from .budgets import BudgetExceeded, Reservation
from .errors import Cancelled, ProviderError
from .gradually import Shown
from .providers import registry
from .reserving import reserved
from .retrieval import Retrieval, retrieve
from .rewriting import stand_alone
from .types import ChatRequest, Completion, Delta, Restart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from documents.deadline import Cancellation

    from .gradually import Screen
    from .types import Attribution, HistoryMessage, Passage, Summary

logger = logging.getLogger(__name__)

REWRITE_FROM = 6  # messages that a follow-up is rewritten from, when that is switched on
EARLIER_QUESTIONS = 3  # a follow-up is searched in the light of at most so many


@dataclass(frozen=True, slots=True)
class Reply:
    """What is stored as the assistant's message.

    Attributes:
        status: `failed` when no provider answered; `text` is then the fallback text and `error` the reason. `cancelled`
            when the user stopped it; `text` is what had been written.
        model: None when it failed.
        cached: whether the answer was given before, and no model was asked now.
        grounded: whether passages were sent to answer from; None in open mode and when it failed.
        timings: seconds by part: `retrieval`, `llm`.
    """

    text: str
    status: Literal["complete", "failed", "cancelled"]
    model: str | None = None
    citations: tuple[dict[str, Any], ...] = ()
    grounded: bool | None = None
    context: dict[str, Any] | None = None
    error: str | None = None
    cached: bool = False
    timings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """How a reply is asked for.

    Attributes:
        model: one of `registry.configured_models`, asked before the others; empty for the chain's own order.
        fresh: a kept answer will not do.
        rewrites: whether a model may rewrite the question for the search, where that is switched on.
    """

    model: str = ""
    fresh: bool = False
    rewrites: bool = True


PLAIN = Options()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with all that is sent along, before any model is asked; `found` is None in open mode."""

    request: ChatRequest
    window: context.Context
    found: Retrieval | None
    model: str
    timings: dict[str, float]

    @property
    def passages(self) -> tuple[Passage, ...] | None:
        """What is sent to answer from; None in open mode."""
        return self.window.passages if self.found else None


def check_question(question: str, *, grounded: bool) -> None:
    """Refuse a question that could never be sent.

    Raises:
        QuestionTooLong: it does not fit into the window, even alone.
    """
    context.build(
        system=prompts.system_prompt(grounded=grounded),
        question=question,
        passages=() if grounded else None,
        limit=settings.MAX_CONTEXT_TOKENS,
        correction=_correction(),
    )


def prepare(
    *,
    question: str,
    history: Iterable[HistoryMessage] = (),
    summary: Summary | None = None,
    document_ids: Sequence[int] | None = None,
    attribution: Attribution,
    options: Options = PLAIN,
    cancellation: Cancellation | None = None,
) -> Prepared:
    """Retrieve and build the context; the reply's time runs from here.

    Args:
        history: earlier messages, newest first; read as far as the window reaches.
        document_ids: what to ground the reply in; None in open mode.

    Raises:
        QuestionTooLong: see `check_question`.
        BudgetExceeded: the user may not spend what rewriting the question could cost.
    """
    deadline = Deadline.after(settings.LLM_TURN_SECONDS)
    for_search, for_window = tee(history)
    timings: dict[str, float] = {}
    began = time.perf_counter()
    found: Retrieval | None = None
    if document_ids is not None:
        found = _search(
            question,
            history=for_search,
            document_ids=document_ids,
            deadline=deadline if options.rewrites else None,
            attribution=attribution,
        )
        timings["retrieval"] = time.perf_counter() - began
    window = context.build(
        system=prompts.system_prompt(grounded=found is not None),
        question=question,
        history=for_window,
        summary=summary,
        passages=found.passages if found else None,
        limit=settings.MAX_CONTEXT_TOKENS,
        correction=_correction(),
    )
    request = ChatRequest(
        messages=window.messages,
        deadline=deadline,
        max_tokens=settings.MAX_COMPLETION_TOKENS,
        temperature=settings.LLM_TEMPERATURE,
        question=question,
        passages=window.passages,
        grounded_mode=found is not None,
        attribution=attribution,
        fresh=options.fresh,
        cancellation=cancellation,
    )
    return Prepared(request, window, found, options.model, timings)


def reserve(prepared: Prepared) -> Reservation:
    """Set aside what the reply may cost, before a model is asked; nothing for an answer that is kept.

    Raises:
        BudgetExceeded: the user may not spend so much; nothing is set aside.
    """
    try:
        return reserved(prepared.request)
    except BudgetExceeded:
        if registry.has_kept(prepared.model, prepared.request):
            return Reservation()
        raise


def complete(prepared: Prepared) -> Reply:
    """Ask the chain for the whole answer. No database connection is held while a provider works."""
    release_connection()
    began = time.perf_counter()
    try:
        completion = registry.chain(prepared.model).complete(prepared.request)
    except ProviderError as exc:
        return _broken(prepared, exc, text="", began=began)
    return _answered(prepared, completion, began=began)


def stream(prepared: Prepared, screen: Screen) -> Reply:
    """The same, showing the answer on a screen while it is written; see `gradually`."""
    release_connection()
    began = time.perf_counter()
    shown = Shown(screen, passages=prepared.passages)
    completion: Completion | None = None
    try:
        for piece in registry.chain(prepared.model).stream(prepared.request):
            match piece:
                case Delta():
                    shown.add(piece.text)
                case Restart():
                    shown.restart()
                case Completion():
                    completion = piece
    except ProviderError as exc:
        reply = _broken(prepared, exc, text=shown.raw, began=began)
    else:
        if completion is None:
            raise RuntimeError("A stream ended without its completion.")
        reply = _answered(prepared, completion, began=began)
    if reply.status != "failed":
        shown.finish(reply.text)
    return reply


def _answered(prepared: Prepared, completion: Completion, *, began: float) -> Reply:
    tokens.learn(model=completion.model, estimated=prepared.window.estimated, reported=completion.usage.prompt_tokens)
    answer = checked(completion.text, passages=prepared.passages)
    return Reply(
        text=answer.text,
        status="complete",
        model=completion.model,
        citations=answer.citations,
        grounded=bool(prepared.window.passages) if prepared.found else None,
        context=prepared.window.report() | {"links_removed": answer.links_removed},
        cached=completion.cached,
        timings=prepared.timings | {"llm": time.perf_counter() - began},
    )


def _broken(prepared: Prepared, exc: ProviderError, *, text: str, began: float) -> Reply:
    """What is stored when no answer came, or the user stopped it on its way."""
    report = prepared.window.report()
    timings = prepared.timings | {"llm": time.perf_counter() - began}
    if isinstance(exc, Cancelled):
        answer = checked(text.rstrip(), passages=prepared.passages) if text.strip() else None
        return Reply(
            text=answer.text if answer else "",
            status="cancelled",
            citations=answer.citations if answer else (),
            context=report,
            timings=timings,
        )
    logger.error("No model answered", exc_info=exc)
    return Reply(
        text=settings.FALLBACK_REPLY,
        status="failed",
        context=report,
        error=str(exc),
        timings=timings,
    )


def _correction() -> float:
    return tokens.correction(model for _, model in registry.parse_chain())


def _search(
    question: str,
    *,
    history: Iterator[HistoryMessage],
    document_ids: Sequence[int],
    deadline: Deadline | None,
    attribution: Attribution,
) -> Retrieval:
    """What the documents say to a question, read in the light of the conversation.

    Args:
        deadline: for the model that may rewrite the question; None when it shall not.
    """
    if deadline and settings.LLM_REWRITE_QUESTIONS and not registry.is_offline():
        recent = list(islice(history, REWRITE_FROM))
        rewritten = stand_alone(question, recent=recent, deadline=deadline, attribution=attribution) if recent else None
        if rewritten:
            return retrieve(rewritten, document_ids=document_ids, attribution=attribution)
        history = iter(recent)
    asked = islice((message.content for message in history if message.role == "user"), EARLIER_QUESTIONS)
    earlier = list(asked)[::-1]
    return retrieve(question, document_ids=document_ids, attribution=attribution, earlier_questions=earlier)
