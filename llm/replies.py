"""The front door: a question and its history go in, a reply comes out, whatever the providers do."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from itertools import islice, tee
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings

from documents.deadline import Deadline

from . import context, prompts, tokens
from .answers import checked
from .durable import release_connection
from .errors import ProviderError
from .providers import registry
from .retrieval import Retrieval, retrieve
from .rewriting import stand_alone
from .types import Attribution, ChatRequest, HistoryMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

logger = logging.getLogger(__name__)

REWRITE_FROM = 6  # messages that a follow-up is rewritten from, when that is switched on
EARLIER_QUESTIONS = 3  # a follow-up is searched in the light of at most so many


@dataclass(frozen=True, slots=True)
class Reply:
    """What is stored as the assistant's message.

    Attributes:
        status: `failed` when no provider answered; `text` is then the fallback text and `error` the reason.
        model: None when it failed.
        grounded: whether passages were sent to answer from; None in open mode and when it failed.
        timings: seconds by part: `retrieval`, `llm`.
    """

    text: str
    status: Literal["complete", "failed"]
    model: str | None = None
    tokens_used: int = 0
    citations: tuple[dict[str, Any], ...] = ()
    grounded: bool | None = None
    context: dict[str, Any] | None = None
    error: str | None = None
    timings: dict[str, float] = field(default_factory=dict)


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


def generate_reply(
    *,
    question: str,
    history: Iterable[HistoryMessage] = (),
    summary: str = "",
    document_ids: Sequence[int] | None = None,
    attribution: Attribution,
) -> Reply:
    """Retrieve, build the context, ask the chain. No database connection is held while a provider works.

    Args:
        history: earlier messages, newest first; read as far as the window reaches.
        document_ids: what to ground the reply in; None in open mode.
    """
    deadline = Deadline.after(settings.LLM_TURN_SECONDS)
    for_search, for_window = tee(history)
    timings: dict[str, float] = {}
    began = time.perf_counter()
    found: Retrieval | None = None
    spent = 0
    if document_ids is not None:
        found, spent = _search(
            question, history=for_search, document_ids=document_ids, deadline=deadline, attribution=attribution
        )
        timings["retrieval"] = time.perf_counter() - began
    try:
        window = context.build(
            system=prompts.system_prompt(grounded=found is not None),
            question=question,
            history=for_window,
            summary=summary,
            passages=found.passages if found else None,
            limit=settings.MAX_CONTEXT_TOKENS,
            correction=_correction(),
        )
    except context.QuestionTooLong as exc:
        return _failed(str(exc), report=None, timings=timings, tokens_used=spent)
    report = window.report()
    request = ChatRequest(
        messages=window.messages,
        deadline=deadline,
        max_tokens=settings.MAX_COMPLETION_TOKENS,
        temperature=settings.LLM_TEMPERATURE,
        question=question,
        passages=window.passages,
        grounded_mode=found is not None,
        attribution=attribution,
    )
    release_connection()
    began = time.perf_counter()
    try:
        completion = registry.chain().complete(request)
    except ProviderError as exc:
        logger.exception("No model answered")
        return _failed(str(exc), report=report, timings=timings, tokens_used=spent)
    finally:
        timings["llm"] = time.perf_counter() - began
    tokens.learn(model=completion.model, estimated=window.estimated, reported=completion.usage.prompt_tokens)
    answer = checked(completion.text, passages=window.passages if found else None)
    return Reply(
        text=answer.text,
        status="complete",
        model=completion.model,
        tokens_used=completion.usage.total_tokens + spent,
        citations=answer.citations,
        grounded=bool(window.passages) if found else None,
        context=report | {"links_removed": answer.links_removed},
        timings=timings,
    )


def _correction() -> float:
    return tokens.correction(model for _, model in registry.parse_chain())


def _search(
    question: str,
    *,
    history: Iterator[HistoryMessage],
    document_ids: Sequence[int],
    deadline: Deadline,
    attribution: Attribution,
) -> tuple[Retrieval, int]:
    """What the documents say to a question, read in the light of the conversation; and the tokens that took."""
    spent = 0
    if settings.LLM_REWRITE_QUESTIONS and not registry.is_offline():
        recent = list(islice(history, REWRITE_FROM))
        rewritten = stand_alone(question, recent=recent, deadline=deadline, attribution=attribution) if recent else None
        spent = rewritten.tokens_used if rewritten else 0
        if rewritten and rewritten.text:
            return retrieve(rewritten.text, document_ids=document_ids, attribution=attribution), spent
        history = iter(recent)
    asked = islice((message.content for message in history if message.role == "user"), EARLIER_QUESTIONS)
    found = retrieve(question, document_ids=document_ids, attribution=attribution, earlier_questions=list(asked)[::-1])
    return found, spent


def _failed(reason: str, *, report: dict[str, Any] | None, timings: dict[str, float], tokens_used: int) -> Reply:
    return Reply(
        text=settings.FALLBACK_REPLY,
        status="failed",
        tokens_used=tokens_used,
        context=report,
        error=reason,
        timings=timings,
    )
