"""What a call cost: by the operators' own prices, else by the list that genai-prices ships; nothing is fetched."""

from __future__ import annotations

import logging
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import Error
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from .models import ModelPrice
from .types import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

SMALLEST = Decimal("1e-10")  # what the ledger's column holds
MILLION = 1_000_000
FRESH_SECONDS = 10.0  # a price that was changed in another process counts here after at most so long


def price(*, provider: str, model: str, usage: Usage | None) -> tuple[Decimal | None, dict[str, Any] | None]:
    """The cost in US dollars, and the prices it was computed with.

    A provider that the price list does not name has no price, even for a model that others sell too.

    Args:
        usage: None when tokens may have been used and nobody said how many.

    Returns:
        The cost, and the model's prices as decimal strings by genai-prices' names: `input_mtok`, `cache_read_mtok`
        and `output_mtok` are US dollars per million tokens. Both are None, never 0, where something is not known; what
        used no tokens costs nothing, whatever the model.
    """
    if provider == "offline":
        return Decimal(0), None
    if usage is None:
        return None, None
    own = _own_price(provider, model)
    return _by_own(own, usage) if own else _by_list(provider, model, usage)


def dearest(models: Iterable[tuple[str, str]], *, usage: Usage) -> Decimal | None:
    """The most that this usage could cost with one of the models, (provider, model); None if no price is known."""
    costs = [price(provider=provider, model=model, usage=usage)[0] for provider, model in models]
    return max((cost for cost in costs if cost is not None), default=None)


def listed(provider: str, model: str) -> dict[str, Any] | None:
    """The prices that a call would be computed with now, see `price`; None where none is known."""
    return price(provider=provider, model=model, usage=Usage(prompt_tokens=1, completion_tokens=1))[1]


def warm() -> None:
    """Load the price list now; it takes the better part of a second."""
    _by_list("groq", "openai/gpt-oss-20b", Usage(prompt_tokens=1))


def _by_list(provider: str, model: str, usage: Usage) -> tuple[Decimal | None, dict[str, Any] | None]:
    from genai_prices import Usage as Tokens  # here, since the import takes half a second
    from genai_prices import calc_price

    tokens = Tokens(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),  # a server that says otherwise is wrong
        output_tokens=usage.completion_tokens,
    )
    unknown = (None if usage.total_tokens else Decimal(0)), None
    try:
        found = calc_price(tokens, model, provider_id=provider)
    except LookupError:
        return unknown
    if found.provider.id != provider:  # it also takes names that only look like a provider's, such as my-openai
        return unknown
    prices = {name: str(value) for name, value in vars(found.model_price).items() if value is not None}
    return found.total_price.quantize(SMALLEST), prices


def _by_own(own: ModelPrice, usage: Usage) -> tuple[Decimal, dict[str, Any]]:
    cache_read = own.input if own.cached is None else own.cached
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    total = (usage.prompt_tokens - cached) * own.input + cached * cache_read + usage.completion_tokens * own.output
    prices = {"input_mtok": own.input, "cache_read_mtok": cache_read, "output_mtok": own.output}
    return (total / MILLION).quantize(SMALLEST), {name: f"{value.normalize():f}" for name, value in prices.items()}


class _OwnPrices:
    """The table of own prices, read anew when it is older than `FRESH_SECONDS`."""

    rows: tuple[ModelPrice, ...] = ()
    read_at: float | None = None


def _own_price(provider: str, model: str) -> ModelPrice | None:
    """The newest price of the model that is valid already."""
    if _OwnPrices.read_at is None or time.monotonic() - _OwnPrices.read_at > FRESH_SECONDS:
        try:
            _OwnPrices.rows = tuple(ModelPrice.objects.order_by("-valid_from"))
            _OwnPrices.read_at = time.monotonic()
        except Error:  # an answer is not lost because its price cannot be looked up
            logger.warning("The table of prices cannot be read; what was last read of it counts", exc_info=True)
    now = timezone.now()
    named = (row for row in _OwnPrices.rows if (row.provider, row.model) == (provider, model))
    return next((row for row in named if row.valid_from <= now), None)


@receiver([post_save, post_delete], sender=ModelPrice)
def forget_own_prices(**_: Any) -> None:
    """Read the table again at the next call."""
    _OwnPrices.read_at = None
