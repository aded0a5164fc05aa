"""Tells whoever wants to know of each call to an embedding endpoint, and for whom it was made."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.dispatch import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Booking:
    """Whom a call is for. `reference` is the caller's own: it comes back with the call, and nothing here reads it."""

    user_id: int | None = None
    reference: object = None


_booking: ContextVar[Booking] = ContextVar("booking", default=Booking())  # noqa: B039  frozen


@contextmanager
def booked_to(user_id: int | None, *, reference: object = None) -> Iterator[None]:
    """Within it, calls that this thread makes to an endpoint are this user's."""
    token = _booking.set(Booking(user_id, reference))
    try:
        yield
    finally:
        _booking.reset(token)


@dataclass(frozen=True, slots=True)
class EmbeddingCall:
    """One HTTP request to an endpoint, successful or not.

    Attributes:
        provider: `openai`, or the host of another endpoint.
        attempt: 1 for the first try with these texts.
        outcome: `ok`, `timeout`, `rate_limited`, `unavailable`, `invalid_response`, `too_large`, `unknown_model`,
            `unauthorized` or `rejected`.
        error: in words, without the key; empty when it is ok.
        tokens: as the endpoint counted them; None when it may have worked and did not say.
    """

    provider: str
    model: str
    attempt: int
    outcome: str
    error: str
    tokens: int | None
    seconds: float
    booking: Booking = field(default_factory=_booking.get)


# Sent after each call, in the thread that made it, with `call`, an EmbeddingCall.
embedding_called = Signal()
