"""From `LLM_CHAIN` to the chain of providers that this process uses."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

from llm import pricing
from llm.errors import ProviderError

from .caching import OFF, Caching
from .fallback import Fallback
from .offline import Offline
from .recording import Recording
from .retrying import Retrying

if TYPE_CHECKING:
    from .base import Provider

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A provider that `LLM_CHAIN` can name.

    Attributes:
        module, adapter: the module, imported when it is needed since SDKs are slow to import, and its class; the
            module also has `warm()`.
        key: the setting without which it cannot be used.
    """

    module: str
    adapter: str
    key: str


KINDS = {
    "groq": Kind(module="llm.providers.groq", adapter="Groq", key="GROQ_API_KEY"),
}


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
    if provider not in KINDS:
        known = ", ".join(sorted([*KINDS, "offline"]))
        raise ValueError(f"LLM_CHAIN names an unknown provider: {entry!r}. Known are {known}.")
    if not model:
        raise ValueError(f"LLM_CHAIN names no model: {entry!r}.")
    return provider, model


def usable_chain() -> list[tuple[str, str]]:
    """The entries of the chain whose provider has a key; `offline` alone when there are none."""
    usable = [(name, model) for name, model in parse_chain() if name == "offline" or getattr(settings, KINDS[name].key)]
    return usable or [("offline", "offline")]


def is_offline() -> bool:
    """Whether no model is configured, so that only the offline provider answers."""
    return usable_chain()[0][0] == "offline"


def configured_models() -> list[str]:
    """What is asked, in this order, as `LLM_CHAIN` writes it."""
    return [name if name == "offline" else f"{name}/{model}" for name, model in usable_chain()]


@cache
def chain() -> Provider:
    """The providers that answer, behind one door; the same object for the life of the process."""
    fallback = Fallback([_build(name, model) for name, model in usable_chain()])
    return fallback if settings.RESPONSE_CACHE == OFF else Caching(fallback, models=configured_models())


def _build(name: str, model: str) -> Provider:
    if name == "offline":
        return Recording(Offline())
    adapter = getattr(import_module(KINDS[name].module), KINDS[name].adapter)
    return Retrying(Recording(adapter(model)))


def warm() -> None:
    """Import and build now what the first turn would wait for, about a second; for a worker's boot, after the fork."""
    chain()
    for name in {name for name, _ in usable_chain()} - {"offline"}:
        try:
            import_module(KINDS[name].module).warm()
        except ProviderError:
            logger.exception("The provider %s cannot be used", name)
        pricing.warm()


def _on_setting_changed(*, setting: str, **_: Any) -> None:
    if setting in {"LLM_CHAIN", "RESPONSE_CACHE"} or setting in {kind.key for kind in KINDS.values()}:
        chain.cache_clear()


setting_changed.connect(_on_setting_changed)
