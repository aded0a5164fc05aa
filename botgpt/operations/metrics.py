"""What Prometheus can ask about: the numbers, and who tells them. See docs/decisions/0019-metrics.md.

Labels take values from small sets alone (routes, models of the chain, outcomes): each combination is a time series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver
from prometheus_client import Counter, Gauge, Histogram

from conversations.turn_signals import turn_ended, turn_refused, turn_started
from llm.events import llm_called, model_given_up, retrieved

if TYPE_CHECKING:
    from conversations.opening import Turn
    from llm.models import LLMCall

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)

REQUEST_SECONDS = Histogram(
    "botgpt_http_request_seconds",
    "Time from a request to the beginning of its answer.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
DB_QUERY_SECONDS = Histogram("botgpt_db_query_seconds", "Time of a database query.", ["database"], buckets=FAST)
DB_QUERIES = Histogram(
    "botgpt_db_queries_per_request",
    "Database queries that a request made.",
    ["route"],
    buckets=(0, 1, 2, 4, 8, 12, 16, 24, 32, 64, 128),
)
TURNS_IN_FLIGHT = Gauge("botgpt_turns_in_flight", "Replies being generated now.", multiprocess_mode="livesum")
TURNS_REFUSED = Counter("botgpt_turns_refused", "Requests refused because as many waited for replies as may.")
TURN_SECONDS = Histogram("botgpt_turn_seconds", "Time of a turn, by how its reply ended.", ["status"], buckets=SLOW)
RETRIEVAL_SECONDS = Histogram(
    "botgpt_retrieval_seconds",
    "Time of the search for a reply, by whether something relevant was found.",
    ["relevant"],
    buckets=FAST,
)
LLM_CALLS = Counter(
    "botgpt_llm_calls",
    "Attempts at a provider, embeddings included, by outcome.",
    ["provider", "model", "purpose", "outcome"],
)
LLM_SECONDS = Histogram(
    "botgpt_llm_call_seconds", "Time of an attempt at a provider.", ["provider", "model"], buckets=SLOW
)
LLM_TOKENS = Counter("botgpt_llm_tokens", "Tokens, as providers count them.", ["provider", "model", "kind"])
LLM_COST = Counter("botgpt_llm_cost_dollars", "What calls cost, in US dollars.", ["provider", "model"])
LLM_UNPRICED = Counter("botgpt_llm_unpriced_calls", "Calls whose cost is not known.", ["provider", "model"])
LLM_GIVEN_UP = Counter(
    "botgpt_llm_models_given_up", "Models given up for a reply after their last try, by why.", ["model", "outcome"]
)


@receiver(llm_called)
def count_call(call: LLMCall, **_: Any) -> None:
    """An attempt at a provider was made."""
    provider, model = call.provider, call.model
    LLM_CALLS.labels(provider, model, call.purpose, call.outcome).inc()
    LLM_SECONDS.labels(provider, model).observe(call.latency_ms / 1000)
    LLM_TOKENS.labels(provider, model, "prompt").inc(call.prompt_tokens)
    LLM_TOKENS.labels(provider, model, "completion").inc(call.completion_tokens)
    LLM_TOKENS.labels(provider, model, "cached").inc(call.cached_tokens)
    if call.cost is None:
        LLM_UNPRICED.labels(provider, model).inc()
    else:
        LLM_COST.labels(provider, model).inc(float(call.cost))


@receiver(model_given_up)
def count_given_up(model: str, outcome: str, **_: Any) -> None:
    """A model had no answer, and the next of the chain was asked, if there was one."""
    LLM_GIVEN_UP.labels(model, outcome).inc()


@receiver(retrieved)
def time_retrieval(*, seconds: float, relevant: bool, **_: Any) -> None:
    """The documents were searched for a reply."""
    RETRIEVAL_SECONDS.labels("yes" if relevant else "no").observe(seconds)


@receiver(turn_started)
def count_up(**_: Any) -> None:
    """A reply is being generated."""
    TURNS_IN_FLIGHT.inc()


@receiver(turn_ended)
def count_down(turn: Turn, seconds: float | None, **_: Any) -> None:
    """It is done, one way or another."""
    TURNS_IN_FLIGHT.dec()
    if seconds is not None:
        TURN_SECONDS.labels(turn.reply.status).observe(seconds)


@receiver(turn_refused)
def count_refused(**_: Any) -> None:
    """A request that would have waited for a reply was not let in."""
    TURNS_REFUSED.inc()
