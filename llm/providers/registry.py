"""From `LLM_CHAIN` to the chain of providers that this process uses."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

from llm import pricing
from llm.errors import ProviderError
from llm.types import Usage

from .base import label
from .breaker import Breaker
from .caching import OFF, Caching
from .fallback import Fallback
from .offline import OFFLINE, Offline
from .recording import Recording
from .retrying import Retrying

if TYPE_CHECKING:
    from llm.types import ChatRequest

    from .base import Provider

logger = logging.getLogger(__name__)

TYPICAL = Usage(prompt_tokens=4_000, completion_tokens=500)
NAME = re.compile(r"[a-z][a-z0-9_]*")


def parse_chain() -> list[tuple[str, str]]:
    """`LLM_CHAIN` as (provider, model) pairs; `offline` is its own model.

    Raises:
        ValueError: an entry names no known provider, or no model, or could never be reached.
    """
    entries = [entry.strip() for entry in settings.LLM_CHAIN if entry.strip()]
    if not entries:
        raise ValueError("LLM_CHAIN is empty.")
    if "offline" in entries[:-1]:
        raise ValueError("LLM_CHAIN goes on after 'offline', which always answers.")
    return [_parse(entry) for entry in entries]


def _parse(entry: str) -> tuple[str, str]:
    if entry == "offline":
        return "offline", "offline"
    provider, _, model = entry.partition("/")
    if provider != "groq" and not settings.LLM_PROVIDERS.get(provider, {}).get("base_url"):
        if not NAME.fullmatch(provider):
            raise ValueError(f"LLM_CHAIN has an entry that is no provider/model: {entry!r}.")
        raise ValueError(f"LLM_CHAIN names the provider {provider!r}, whose {provider.upper()}_BASE_URL is not set.")
    if not model:
        raise ValueError(f"LLM_CHAIN names no model: {entry!r}.")
    return provider, model


def _has_key(provider: str) -> bool:
    if provider == "groq":
        return bool(settings.GROQ_API_KEY)
    if provider == "offline":
        return True
    configured = settings.LLM_PROVIDERS[provider]
    return bool(configured["api_key"]) or not configured["needs_key"]


def usable_chain() -> list[tuple[str, str]]:
    """The entries of the chain whose provider has a key, or needs none; `offline` alone when there are none."""
    usable = [(name, model) for name, model in parse_chain() if _has_key(name)]
    return usable or [("offline", "offline")]


def is_offline() -> bool:
    """Whether no model is configured, so that only the offline provider answers."""
    return usable_chain()[0][0] == "offline"


def configured_models() -> list[str]:
    """What is asked, in this order, as `LLM_CHAIN` writes it."""
    return [name if name == "offline" else f"{name}/{model}" for name, model in usable_chain()]


def configured_model(name: str) -> str:
    """The one of `configured_models` that is meant: by that name, or as its provider calls it.

    Raises:
        LookupError: none is; it says which there are.
    """
    models = configured_models()
    for model in models:
        if name in {model, model.partition("/")[2]}:
            return model
    raise LookupError(f"{name!r} is not configured. Known are {', '.join(models)}.")


@dataclass(frozen=True, slots=True)
class Health:
    """How a model does in this process: failures in a row, and for how many seconds it is left alone."""

    model: str
    failures: int
    skipped_seconds: float


def health() -> list[Health]:
    """Of the configured models, as `LLM_CHAIN` writes them, in its order."""
    fresh = Breaker()
    breakers = [_breakers.get("/".join(entry), fresh) for entry in usable_chain()]
    return [
        Health(model, breaker.failures, breaker.skipped_seconds)
        for model, breaker in zip(configured_models(), breakers, strict=True)
    ]


@cache
def chain(first: str = "") -> Provider:
    """The providers that answer, behind one door; the same object for the life of the process.

    Args:
        first: one of `configured_models`, asked before the others; empty for the chain's own order.
    """
    entries = usable_chain()
    if first:
        chosen = entries[configured_models().index(first)]
        entries = [chosen, *(entry for entry in entries if entry != chosen)]
    fallback = Fallback([_build(name, model) for name, model in entries], breakers=_breakers)
    if settings.RESPONSE_CACHE == OFF:
        return fallback
    return Caching(fallback, models=[label(provider) for provider in fallback.providers])


def has_kept(first: str, request: ChatRequest) -> bool:
    """Whether `chain(first)` needs no model for the answer."""
    provider = chain(first)
    return isinstance(provider, Caching) and provider.has(request)


def cheapest() -> Provider:
    """The model of the chain whose calls cost least now, for work that nobody waits for; not for an offline chain."""
    models = [entry for entry in usable_chain() if entry[0] != OFFLINE]
    return _alone(*min(models, key=lambda entry: _typical_cost(*entry)))


def _typical_cost(name: str, model: str) -> Decimal:
    """Of much to read and little to write, as in a summary; infinite where prices are not known."""
    cost, _ = pricing.price(provider=name, model=model, usage=TYPICAL)
    return Decimal("Infinity") if cost is None else cost


@cache
def _alone(name: str, model: str) -> Provider:
    return _build(name, model)


def _build(name: str, model: str) -> Provider:
    if name == "offline":
        return Recording(Offline())
    # SDKs and clients are slow to import, so only what is used is.
    if name == "groq":
        from .groq import Groq

        return Retrying(Recording(Groq(model)))
    from .compatible import Compatible

    return Retrying(Recording(Compatible(name, model)))


def load() -> None:
    """Import what turns will need and read the price list: before a fork, so that workers share it. Opens nothing."""
    chain()
    if not is_offline():
        pricing.warm()


def warm() -> None:
    """Import and build now what the first turn would wait for, about a second; for a worker's boot, after the fork."""
    chain()
    names = {name for name, _ in usable_chain()} - {"offline"}
    try:
        if "groq" in names:
            from . import groq

            groq.warm()
        if names - {"groq"}:
            from . import compatible

            compatible.warm()
    except ProviderError:
        logger.exception("A provider cannot be used")
    if names:
        pricing.warm()


_breakers: dict[str, Breaker] = {}


def _on_setting_changed(*, setting: str, **_: Any) -> None:
    if setting in {"LLM_CHAIN", "LLM_PROVIDERS", "GROQ_API_KEY", "RESPONSE_CACHE"}:
        chain.cache_clear()
        _alone.cache_clear()
        _breakers.clear()


setting_changed.connect(_on_setting_changed)
