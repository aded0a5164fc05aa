"""System checks on the configuration of the models; E002 only with `manage.py check --deploy`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from .providers import caching, registry

AT_LEAST = {
    "LLM_MAX_ATTEMPTS": 1,
    "LLM_MAX_CONNECTIONS": 1,
    "LLM_CALL_SECONDS": 0.1,
    "LLM_TURN_SECONDS": 0.1,
    "LLM_BACKOFF_SECONDS": 0,
    "MAX_COMPLETION_TOKENS": 1,
    "RESPONSE_CACHE_SECONDS": 1,
    "SUMMARY_TOKENS": 50,
    "LLM_BUDGET_DAY_TOKENS": 0,
    "LLM_BUDGET_MONTH_TOKENS": 0,
    "LLM_BUDGET_DAY_COST": 0,
    "LLM_BUDGET_MONTH_COST": 0,
}
EFFORTS = ("low", "medium", "high")


@register()
def chain_is_known(**_: Any) -> list[CheckMessage]:
    """llm.E001: every entry of LLM_CHAIN can be asked. llm.W001: some have no key and are passed over."""
    try:
        chain = registry.parse_chain()
    except ValueError as exc:
        return [Error(str(exc), hint="LLM_CHAIN is a comma-separated list of provider/model.", id="llm.E001")]
    if registry.is_offline():
        return []
    skipped = [f"{name}/{model}" for name, model in chain if (name, model) not in registry.usable_chain()]
    return [checks.Warning(f"LLM_CHAIN: {entry} has no key and is passed over.", id="llm.W001") for entry in skipped]


@register(deploy=True)
def a_model_is_configured(**_: Any) -> list[CheckMessage]:
    """llm.E002: a deployment needs a model; the offline provider is for laptops."""
    try:
        offline = registry.is_offline()
    except ValueError:
        return []  # E001 says so
    if not offline:
        return []
    hint = "Set GROQ_API_KEY, or name another provider in LLM_CHAIN and set its <NAME>_BASE_URL and <NAME>_API_KEY."
    return [Error("No language model is configured.", hint=hint, id="llm.E002")]


@register()
def base_url_is_a_bare_host(**_: Any) -> list[CheckMessage]:
    """llm.E003: the Groq SDK adds /openai/v1 itself, so a base URL that ends with it gets 404 from Groq."""
    parts = urlsplit(settings.GROQ_BASE_URL)
    if parts.scheme in {"http", "https"} and parts.netloc and not parts.path.rstrip("/").endswith("/openai/v1"):
        return []
    return [
        Error(
            f"GROQ_BASE_URL is {settings.GROQ_BASE_URL!r}.",
            hint="Give scheme and host only, like https://api.groq.com; /openai/v1 is added.",
            id="llm.E003",
        )
    ]


@register()
def limits_are_sane(**_: Any) -> list[CheckMessage]:
    """llm.E004: a number with which no call could be made. llm.E005: an effort that the models refuse."""
    messages: list[CheckMessage] = [
        Error(f"{name} is {getattr(settings, name)}; it must be at least {least}.", id="llm.E004")
        for name, least in AT_LEAST.items()
        if (value := getattr(settings, name)) is not None and value < least
    ]
    if settings.LLM_REASONING_EFFORT not in EFFORTS:
        hint = f"One of {', '.join(EFFORTS)}."
        effort = settings.LLM_REASONING_EFFORT
        messages.append(Error(f"LLM_REASONING_EFFORT is {effort!r}.", hint=hint, id="llm.E005"))
    return messages


@register()
def the_response_cache_is_known(**_: Any) -> list[CheckMessage]:
    """llm.E006: a way of caching that does not exist, or under which nothing or everything would be found."""
    messages: list[CheckMessage] = []
    if settings.RESPONSE_CACHE not in caching.MODES:
        hint = f"One of {', '.join(caching.MODES)}."
        messages.append(Error(f"RESPONSE_CACHE is {settings.RESPONSE_CACHE!r}.", hint=hint, id="llm.E006"))
    if not 0 < settings.RESPONSE_CACHE_SIMILARITY <= 1:
        similarity = settings.RESPONSE_CACHE_SIMILARITY
        hint = "A cosine above 0, at most 1."
        messages.append(Error(f"RESPONSE_CACHE_SIMILARITY is {similarity}.", hint=hint, id="llm.E006"))
    return messages
