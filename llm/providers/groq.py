"""Groq, through its official SDK."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import groq
import httpx
from django.conf import settings
from django.core.signals import setting_changed

from documents.http import PerProcess, make_client, retry_after, waiting
from llm import errors
from llm.types import Usage

from . import wire
from .patience import has_begun, patience_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm.types import ChatRequest, Completion, Piece

PATH = "/openai/v1/chat/completions"
SENDABLE = re.compile(r"[!-~]+")


class Groq:
    """One model at Groq. One call a time: retries and other models are for the wrappers.

    Every adapter of this process uses the same client, so that they share connections.
    """

    name = "groq"

    def __init__(self, model: str) -> None:
        self.model = model

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole, in `LLM_CALL_SECONDS` or what is left until its deadline, whichever is less."""
        patience = patience_for(request)
        body = wire.body(request, model=self.model, **self._reasoning())
        with _our_errors(seconds := patience.deadline.remaining), waiting(patience):
            # Not `chat.completions.create`: that spends .2 ms of CPU on each message of the history.
            answer = _client().post(PATH, cast_to=object, body=body, options={"timeout": seconds})
            return wire.completion(answer, provider=self.name, model=self.model)

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """Answer as it is written. `LLM_CALL_SECONDS` is for the first token, and for each silence after it."""
        patience = patience_for(request)
        body = wire.body(request, model=self.model, stream=True, **self._reasoning())
        with _our_errors(seconds := patience.deadline.remaining), waiting(patience):
            stream = _client().post(
                PATH,
                cast_to=object,
                body=body,
                options={"timeout": seconds},
                stream=True,
                stream_cls=groq.Stream[object],
            )
            with closing(stream.response):
                for piece in wire.pieces(stream, provider=self.name, model=self.model):
                    has_begun(patience, request)
                    yield piece

    def _reasoning(self) -> dict[str, str]:
        """The gpt-oss models take an effort; others answer 400 to it."""
        return {"reasoning_effort": settings.LLM_REASONING_EFFORT} if "gpt-oss" in self.model else {}


def warm() -> None:
    """Build this process's client now: importing the SDK and reading the certificates costs a quarter of a second."""
    _client()


@contextmanager
def _our_errors(seconds: float) -> Iterator[None]:
    """The SDK's errors as ours, without the key in their words."""
    try:
        yield
    except errors.ProviderError as exc:
        error = exc
    except groq.APIError as exc:
        error = _translated(exc, seconds=seconds)
    except httpx.TimeoutException:  # while a stream is read, the SDK does not translate
        error = errors.ProviderTimeout("The stream fell silent.")
    except httpx.HTTPError as exc:
        error = errors.ProviderUnavailable(f"The connection failed: {exc}")
    except (ValueError, RecursionError):
        error = errors.ProviderInvalidResponse("The answer is not JSON.")
    else:
        return
    # From None: a traceback would print the SDK's error too, and that may quote the key.
    raise error.without(settings.GROQ_API_KEY.strip()) from None


def _translated(exc: groq.APIError, *, seconds: float) -> errors.ProviderError:
    cause = exc.__cause__
    match exc:
        case groq.APIStatusError():
            response = exc.response
            return wire.refusal(
                response.status_code,
                phrase=response.reason_phrase,
                answer=exc.body,
                retry_after=retry_after(response.headers),
            )
        case groq.APITimeoutError() if isinstance(cause, httpx.PoolTimeout):
            return errors.ProviderTimeout("No connection became free: raise LLM_MAX_CONNECTIONS.", usage=Usage())
        case groq.APITimeoutError():
            return errors.ProviderTimeout(f"No whole answer within {seconds:.3g} s.")
        case groq.APIConnectionError():
            never_sent = Usage() if isinstance(cause, httpx.ConnectError) else None
            return errors.ProviderUnavailable(f"The connection failed: {cause}", usage=never_sent)
        case _:
            return wire.broken_off(exc.body)


def _build() -> groq.Groq:
    key = settings.GROQ_API_KEY.strip()
    if not SENDABLE.fullmatch(key):
        raise errors.ProviderUnauthorized("GROQ_API_KEY has characters that no header can carry.", usage=Usage())
    return groq.Groq(
        api_key=key,
        base_url=settings.GROQ_BASE_URL,
        max_retries=0,  # the SDK's own may sleep 60 s inside a request
        http_client=make_client(max_connections=settings.LLM_MAX_CONNECTIONS),
    )


_shared = PerProcess(_build)
_client = _shared.get


def _on_setting_changed(*, setting: str, **_: Any) -> None:
    if setting in {"GROQ_API_KEY", "GROQ_BASE_URL", "LLM_MAX_CONNECTIONS"}:
        _shared.close()


setting_changed.connect(_on_setting_changed)
