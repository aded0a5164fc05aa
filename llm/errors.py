"""What can go wrong with a provider, in our words. Adapters translate their SDK's errors into these at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Self

from .models import LLMCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import Usage

Outcome = LLMCall.Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that came to nothing. `model` is `provider/model`, as in `LLM_CHAIN`."""

    model: str
    outcome: str
    reason: str


class ProviderError(Exception):
    """A provider did not give a usable answer. The message names no secret and may be shown to the user.

    Attributes:
        outcome: how the ledger names it.
        retryable: whether the same model may do better in a moment.
        advances: whether the next model of the chain should be asked.
        retry_after: seconds that the provider asked to wait, when it did.
        usage: what was used all the same; None when the provider may have worked and did not say.
        failures: the attempts it ends, in order, this one last; empty until a wrapper has counted them.
    """

    outcome = Outcome.UNAVAILABLE
    retryable = False
    advances = True

    def __init__(self, message: str, *, retry_after: float | None = None, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.usage = usage
        self.failures: tuple[Failure, ...] = ()

    def without(self, secret: str) -> Self:
        """The same error with a secret cut out of its message: providers quote keys."""
        self.args = (str(self).replace(secret, "[key]"),) if secret else self.args
        return self


class ProviderTimeout(ProviderError):
    """No whole answer in the time allowed."""

    outcome = Outcome.TIMEOUT
    retryable = True


class ProviderRateLimited(ProviderError):
    """429, or 498 (Groq's capacity exceeded)."""

    outcome = Outcome.RATE_LIMITED
    retryable = True


class ProviderUnavailable(ProviderError):
    """5xx, or no connection, or one that was cut."""

    outcome = Outcome.UNAVAILABLE
    retryable = True


class ProviderInvalidResponse(ProviderError):
    """The status says success and the body is not an answer."""

    outcome = Outcome.INVALID_RESPONSE
    retryable = True


class RequestTooLarge(ProviderError):
    """413, or more tokens than the model's window or the account's limit for one request."""

    outcome = Outcome.TOO_LARGE


class UnknownModel(ProviderError):
    """The provider does not have the model, or no longer."""

    outcome = Outcome.UNKNOWN_MODEL


class ProviderUnauthorized(ProviderError):
    """The provider refuses our key, or our account."""

    outcome = Outcome.UNAUTHORIZED


class ProviderRejected(ProviderError):
    """400 or 422: the request itself is at fault, so no other model is asked."""

    outcome = Outcome.REJECTED
    advances = False


class Cancelled(ProviderError):
    """The user stopped the reply, so nobody else is asked."""

    outcome = Outcome.CANCELLED
    advances = False


class AllProvidersFailed(ProviderError):
    """Every model of the chain was asked, or the time was up before. Its message gives each attempt's reason."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        reasons = [
            f"{failure.model}: {failure.reason}" + (f" ({count} times)" if count > 1 else "")
            for failure, count in ((failure, len(list(same))) for failure, same in groupby(failures))
        ]
        super().__init__("No model answered. " + ("; ".join(reasons) or "There was no time left to ask one."))
        self.failures = tuple(failures)
