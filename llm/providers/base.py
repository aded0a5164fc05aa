"""What a provider is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm.types import ChatRequest, Completion, Piece


class Provider(Protocol):
    """One model of one provider, or a wrapper around one: `Fallback([Retrying(Recording(Groq("…")))])`.

    Attributes:
        name: the provider, as the ledger and `LLM_CHAIN` call it.
        model: the model, as the provider calls it.
    """

    name: str
    model: str

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole.

        Raises:
            ProviderError: no usable answer before the request's deadline.
        """
        ...

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """Answer as it is written: deltas, and last the `Completion`; `Restart` where another answer takes over.

        Raises:
            ProviderError: as above, at any point.
        """
        ...


def label(provider: Provider) -> str:
    """The provider and its model as `LLM_CHAIN` writes them."""
    return f"{provider.name}/{provider.model}"
