"""What a request did: its queries, its calls to models, their tokens and cost. Known when its log line is written."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.backends.signals import connection_created
from django.dispatch import receiver

from llm.events import llm_called
from llm.models import LLMCall
from llm.providers.offline import OFFLINE

from . import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger("botgpt.llm")


@dataclass(slots=True)
class Activity:
    """What happened so far. `cost` is in US dollars, without the calls whose price is not known."""

    queries: int = 0
    query_seconds: float = 0.0
    calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    def fields(self) -> dict[str, Any]:
        """For a log line; of models only when one was asked."""
        fields: dict[str, Any] = {"queries": self.queries, "query_ms": round(self.query_seconds * 1000, 1)}
        if self.calls:
            fields |= {"llm_calls": self.calls, "tokens": self.tokens, "cost": float(self.cost)}
        if self.unpriced:
            fields["unpriced_calls"] = self.unpriced
        return fields


_activity: ContextVar[Activity | None] = ContextVar("activity", default=None)


@contextmanager
def watched() -> Iterator[Activity]:
    """Within it, what this thread does is counted, and what threads do that were started with a copy of its context."""
    activity = Activity()
    token = _activity.set(activity)
    try:
        yield activity
    finally:
        _activity.reset(token)


@receiver(connection_created)
def watch_queries(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have each query of this connection timed; its wrappers outlive a reconnection."""
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001  Django's signature
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        seconds = time.perf_counter() - began
        metrics.DB_QUERY_SECONDS.labels(context["connection"].alias).observe(seconds)
        if (activity := _activity.get()) is not None:
            activity.queries += 1
            activity.query_seconds += seconds


@receiver(llm_called)
def note_call(call: LLMCall, **_: Any) -> None:
    """Add a call up and log it, with the ids by which the ledger and the other lines of its request are found."""
    if (activity := _activity.get()) is not None:
        activity.calls += 1
        activity.tokens += call.prompt_tokens + call.completion_tokens
        activity.cost += call.cost or 0
        activity.unpriced += call.cost is None
    logger.log(
        _level(call),
        "llm call",
        extra={
            "provider": call.provider,
            "model": call.model,
            "purpose": call.purpose,
            "attempt": call.attempt,
            "outcome": call.outcome,
            "prompt_tokens": call.prompt_tokens,
            "completion_tokens": call.completion_tokens,
            "cost": None if call.cost is None else float(call.cost),
            "latency_ms": call.latency_ms,
            "user_id": call.user_id,
            "conversation_id": call.conversation_id,
            "message_id": call.message_id,
            "request_id": call.request_id,
        },
    )


def _level(call: LLMCall) -> int:
    if call.provider == OFFLINE:
        return logging.DEBUG  # no model was asked
    return logging.INFO if call.outcome == LLMCall.Outcome.OK else logging.WARNING
