"""What a call cost, by the price list that genai-prices ships; nothing is fetched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .types import Usage

SMALLEST = Decimal("1e-10")  # what the ledger's column holds


def price(*, provider: str, model: str, usage: Usage | None) -> tuple[Decimal | None, dict[str, Any] | None]:
    """The cost in US dollars, and the prices it was computed with.

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
    from genai_prices import Usage as Tokens  # here, since the import takes half a second
    from genai_prices import calc_price

    tokens = Tokens(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cached_tokens,
        output_tokens=usage.completion_tokens,
    )
    try:
        found = calc_price(tokens, model, provider_id=provider)
    except LookupError:
        return (None if usage.total_tokens else Decimal(0)), None
    prices = {name: str(value) for name, value in vars(found.model_price).items() if value is not None}
    return found.total_price.quantize(SMALLEST), prices


def warm() -> None:
    """Load the price list now; it takes the better part of a second."""
    price(provider="groq", model="openai/gpt-oss-20b", usage=Usage(prompt_tokens=1))
