"""Any server that speaks OpenAI's chat completions: OpenAI itself, Ollama, vLLM and many more.

By HTTP and not by the openai SDK, which takes over a second of CPU to import and brings retries and timeouts that would
have to be switched off: what is sent and what is checked is the same as for Groq, see `wire`.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import orjson
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

SENDABLE = re.compile(r"[!-~]*")
NEVER_SENT = (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL)


class Compatible:
    """One model of the provider that `LLM_PROVIDERS` has under this name. One call a time, as `Groq`."""

    def __init__(self, name: str, model: str) -> None:
        self.name, self.model = name, model
        provider = settings.LLM_PROVIDERS[name]
        self._url = provider["base_url"].rstrip("/") + "/chat/completions"
        self._key = provider["api_key"].strip()

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole, in `LLM_CALL_SECONDS` or what is left until its deadline, whichever is less."""
        patience = patience_for(request)
        with self._our_errors(seconds := patience.deadline.remaining), waiting(patience):
            response = _client().post(self._url, **self._sent(request), timeout=seconds)
            self._check(response)
            return wire.completion(orjson.loads(response.content), provider=self.name, model=self.model)

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """Answer as it is written. `LLM_CALL_SECONDS` is for the first token, and for each silence after it."""
        patience = patience_for(request)
        sent = self._sent(request, stream=True, stream_options={"include_usage": True})
        with (
            self._our_errors(seconds := patience.deadline.remaining),
            waiting(patience),
            _client().stream("POST", self._url, **sent, timeout=seconds) as response,
        ):
            self._check(response)
            for piece in wire.pieces(_chunks(response), provider=self.name, model=self.model):
                has_begun(patience, request)
                yield piece

    def _sent(self, request: ChatRequest, **more: Any) -> dict[str, Any]:
        if not SENDABLE.fullmatch(self._key):
            key = f"{self.name.upper()}_API_KEY"
            raise errors.ProviderUnauthorized(f"{key} has characters that no header can carry.", usage=Usage())
        headers = {"authorization": f"Bearer {self._key}"} if self._key else {}
        body = wire.body(request, model=self.model, **more)
        return {"content": orjson.dumps(body), "headers": headers | {"content-type": "application/json"}}

    @staticmethod
    def _check(response: httpx.Response) -> None:
        if response.status_code == httpx.codes.OK:
            return
        try:
            answer = orjson.loads(response.read())
        except ValueError:
            answer = None
        raise wire.refusal(
            response.status_code,
            phrase=response.reason_phrase,
            answer=answer,
            retry_after=retry_after(response.headers),
        )

    @contextmanager
    def _our_errors(self, seconds: float) -> Iterator[None]:
        try:
            yield
        except errors.ProviderError as exc:
            error = exc
        except httpx.PoolTimeout:
            error = errors.ProviderTimeout("No connection became free: raise LLM_MAX_CONNECTIONS.", usage=Usage())
        except httpx.TimeoutException:
            error = errors.ProviderTimeout(f"No whole answer within {seconds:.3g} s.")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            usage = Usage() if isinstance(exc, NEVER_SENT) else None
            error = errors.ProviderUnavailable(f"The connection failed: {exc}", usage=usage)
        except (ValueError, RecursionError):
            error = errors.ProviderInvalidResponse("The answer is not JSON.")
        else:
            return
        # From None: a traceback would print httpx's error too, and its request holds the key.
        raise error.without(self._key) from None


def warm() -> None:
    """Build this process's client now: reading the certificates takes a while."""
    _client()


def _chunks(response: httpx.Response) -> Iterator[object]:
    """The decoded events of a stream; what is no data (comments, names) is passed over."""
    for line in response.iter_lines():
        field, _, value = line.partition(":")
        if field != "data":
            continue
        if (data := value.strip()) == "[DONE]":
            return
        yield orjson.loads(data)


_shared = PerProcess(lambda: make_client(max_connections=settings.LLM_MAX_CONNECTIONS))
_client = _shared.get


def _on_setting_changed(*, setting: str, **_: Any) -> None:
    if setting in {"LLM_PROVIDERS", "LLM_MAX_CONNECTIONS"}:
        _shared.close()


setting_changed.connect(_on_setting_changed)
