"""The chat completion format that Groq shares with other providers: what is sent, and what an answer must be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from documents.embeddings.wire import MOST_TOKENS
from llm import errors
from llm.types import Completion, Delta, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm.types import ChatRequest, Piece

SHOWN_CHARS = 300  # of a provider's own message
ACCOUNT = re.compile(r"\b(?:org|project)_\w+")
CODES: dict[str, type[errors.ProviderError]] = {
    "model_decommissioned": errors.UnknownModel,
    "model_not_found": errors.UnknownModel,
    "context_length_exceeded": errors.RequestTooLarge,
}
STATUSES: dict[int, type[errors.ProviderError]] = {
    400: errors.ProviderRejected,
    401: errors.ProviderUnauthorized,
    402: errors.ProviderUnauthorized,
    403: errors.ProviderUnauthorized,
    404: errors.UnknownModel,
    408: errors.ProviderTimeout,
    413: errors.RequestTooLarge,
    422: errors.ProviderRejected,
    429: errors.ProviderRateLimited,
    498: errors.ProviderRateLimited,
}


def body(request: ChatRequest, *, model: str, **more: Any) -> dict[str, Any]:
    """The request's body; `more` adds parameters that only some models take."""
    return {
        "model": model,
        "messages": [{"role": message.role, "content": clean(message.content)} for message in request.messages],
        "temperature": request.temperature,
        "max_completion_tokens": request.max_tokens,
        **more,
    }


def completion(answer: object, *, provider: str, model: str) -> Completion:
    """The decoded body of a success, checked: status 200 alone proves nothing.

    Raises:
        ProviderInvalidResponse: it is not a chat completion, or has no text, or no end.
    """
    match answer:
        case {"error": dict() | str() as error}:
            raise errors.ProviderInvalidResponse(f"An error came as a success: {_message(error)}")
        case {"choices": [{"message": dict() as message} as choice, *_], **rest}:
            used = usage(rest.get("usage"))
        case _:
            raise errors.ProviderInvalidResponse("The answer is not a chat completion.")
    content, reason = message.get("content"), choice.get("finish_reason")
    text = clean(content) if isinstance(content, str) else ""
    return _checked(text, reason=reason, used=used, provider=provider, model=model)


def pieces(chunks: Iterable[object], *, provider: str, model: str) -> Iterator[Piece]:
    """The decoded chunks of a stream: a delta for each text, and at the end the whole, checked as `completion` does.

    A stream that ends without a finish_reason was cut, however cleanly.
    """
    texts: list[str] = []
    reason: object = None
    used: Usage | None = None
    for chunk in chunks:
        match chunk:
            case {"error": dict() | str() as error}:
                raise broken_off(error)
            case {"choices": list(choices), **rest}:
                own = rest.get("x_groq")
                used = usage(rest.get("usage") or (own.get("usage") if isinstance(own, dict) else None)) or used
            case _:
                raise errors.ProviderInvalidResponse("A piece of the stream is not a chat completion.", usage=used)
        for choice in choices[:1]:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            content = delta.get("content") if isinstance(delta, dict) else None
            reason = (choice.get("finish_reason") if isinstance(choice, dict) else None) or reason
            if isinstance(content, str) and (text := clean(content)):
                texts.append(text)
                yield Delta(text)
    yield _checked("".join(texts), reason=reason, used=used, provider=provider, model=model)


def _checked(text: str, *, reason: object, used: Usage | None, provider: str, model: str) -> Completion:
    if not text.strip():
        problem = "The answer has no text."
        if reason == "length":
            problem = "All completion tokens went into reasoning and none into an answer: raise MAX_COMPLETION_TOKENS."
        raise errors.ProviderInvalidResponse(problem, usage=used)
    if not isinstance(reason, str):
        raise errors.ProviderInvalidResponse("The answer has no end (no finish_reason).", usage=used)
    return Completion(text=text, model=model, provider=provider, usage=used or Usage(), finish_reason=reason)


def usage(reported: object) -> Usage | None:
    """The token counts of an answer; None when it has none."""
    if not isinstance(reported, dict):
        return None
    prompt = _count(reported.get("prompt_tokens"))
    details = reported.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=_count(reported.get("completion_tokens")),
        cached_tokens=min(cached, prompt),
    )


def refusal(status: int, *, phrase: str, answer: object, retry_after: float | None) -> errors.ProviderError:
    """The error for a status from 300 up. A code in the body says more than the status does."""
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    kind = CODES.get(code) if isinstance(code, str) else None
    kind = kind or STATUSES.get(status, errors.ProviderUnavailable)
    message = f"{status} {phrase}".rstrip() + (f": {_message(error)}" if error else "")
    return kind(message, retry_after=retry_after, usage=Usage())


def broken_off(error: object) -> errors.ProviderError:
    """For an error that came as a piece of a stream."""
    return errors.ProviderUnavailable(f"The stream ended with an error: {_message(error)}")


def clean(text: str) -> str:
    """Without what cannot be stored or sent: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _message(error: object) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return ACCOUNT.sub("[account]", " ".join(clean(str(message)).split()))[:SHOWN_CHARS]


def _count(value: object) -> int:
    return min(value, MOST_TOKENS) if isinstance(value, int) and value > 0 else 0
