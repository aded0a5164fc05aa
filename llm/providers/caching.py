"""Answers again what the same user has asked before: exactly the same request or, if wanted, a question that is alike.

    Caching(Fallback([...]), models=["groq/small", "groq/large"])

Entries belong to one user. Their keys carry a random name that the user's entries share until `forget_user`: from then
on nothing finds them, and the cache drops them when their time is over. A cache that is away costs a warning, no turn.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import numpy as np
from django.conf import settings
from django.core.cache import cache

from llm import booking
from llm.errors import Outcome
from llm.types import ChatRequest, Completion, Delta, Usage

from . import likeness
from .offline import OFFLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from llm.types import Piece

    from .base import Provider

logger = logging.getLogger(__name__)

OFF, EXACT, SIMILAR = MODES = ("off", "exact", "similar")
FORMAT = 1  # of keys and entries; another one finds none of the old
KEPT_ALIKE = 10  # of the questions that say the same words
SINGLE_TURN = 2  # messages: the system prompt and the question

Result = TypeVar("Result")


class Caching:
    """Looks for a kept answer before it asks. A hit is booked as a call that used no tokens and cost nothing."""

    def __init__(self, provider: Provider, *, models: Sequence[str]) -> None:
        self.provider = provider
        self.models = tuple(models)
        self.name, self.model = provider.name, provider.model

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole; raises what the provider raises."""
        place = self.place(request)
        if place and (found := self.lookup(place)):
            return found
        completion = self.provider.complete(request)
        if place:
            self.store(place, completion)
        return completion

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """Answer as it is written; a kept answer comes in one piece. Raises what the provider raises."""
        place = self.place(request)
        if place and (found := self.lookup(place)):
            yield Delta(found.text)
            yield found
            return
        for piece in self.provider.stream(request):
            if place and isinstance(piece, Completion):
                self.store(place, piece)
            yield piece

    def place(self, request: ChatRequest) -> Place | None:
        """Where the answer to a request is kept; None when it belongs to nobody."""
        if request.attribution.user_id is None or settings.RESPONSE_CACHE == OFF:
            return None
        return Place(request, self.models)

    def has(self, request: ChatRequest) -> bool:
        """Whether the answer is kept, and would do; nothing is booked."""
        place = None if request.fresh else self.place(request)
        return place is not None and _safely(place.find) is not None

    def lookup(self, place: Place) -> Completion | None:
        """The kept answer, marked and booked; None when there is none or a fresh one is wanted."""
        if place.request.fresh:
            return None
        began = time.perf_counter()
        completion = _safely(place.find)
        if completion is None:
            return None
        booking.book(
            place.request.attribution,
            provider=completion.provider,
            model=completion.model,
            attempt=1,
            outcome=Outcome.CACHED,
            usage=completion.usage,
            seconds=time.perf_counter() - began,
        )
        return completion

    def store(self, place: Place, completion: Completion) -> None:
        """Keep an answer that a model gave and ended itself; others shall be asked for again."""
        if completion.finish_reason == "stop" and completion.provider != OFFLINE and not completion.cached:
            _safely(lambda: place.keep(completion))


@dataclass(frozen=True)
class Place:
    """Where the answer to a request is kept: under all that was sent and, for a single turn, near questions like it."""

    request: ChatRequest
    models: tuple[str, ...]

    def find(self) -> Completion | None:
        """What is kept here; raises whatever the cache raises."""
        entry = cache.get(self.key) or self._find_alike()
        return Completion(**entry, usage=Usage(), cached=True) if entry else None

    def keep(self, completion: Completion) -> None:
        """Put an answer here; raises whatever the cache raises."""
        seconds = settings.RESPONSE_CACHE_SECONDS
        entry = asdict(replace(completion, usage=Usage()))
        del entry["usage"], entry["cached"]
        cache.set(self.key, entry, seconds)
        if self.alike_key and self.vector is not None:
            others = [(key, near) for key, near in cache.get(self.alike_key, ()) if key != self.key]
            mine = (self.key, self.vector.astype(np.float16).tobytes())
            cache.set(self.alike_key, [mine, *others][:KEPT_ALIKE], seconds)

    def _find_alike(self) -> dict[str, Any] | None:
        """The newest answer to a question whose vector is near this one's."""
        kept = cache.get(self.alike_key) if self.alike_key else None
        if not kept or self.vector is None:
            return None
        for key, near in kept:
            other = np.frombuffer(near, dtype=np.float16).astype(np.float32)
            if other.shape != self.vector.shape or other @ self.vector < settings.RESPONSE_CACHE_SIMILARITY:
                continue
            entry: dict[str, Any] | None = cache.get(key)
            if entry:
                return entry
        return None

    @cached_property
    def key(self) -> str:
        """Of this very request: the models, the parameters, and every message as it is sent."""
        return self._key("exact", [(message.role, message.content) for message in self.request.messages])

    @cached_property
    def alike_key(self) -> str:
        """Of questions that say the same words under the same system prompt, about the same passages.

        Empty when that is not wanted, or when the request is not a single question: what came before may change what
        the same words mean.
        """
        request = self.request
        if settings.RESPONSE_CACHE != SIMILAR or not request.question or len(request.messages) != SINGLE_TURN:
            return ""
        passages = [(passage.number, passage.filename, passage.text, passage.flags) for passage in request.passages]
        gist = likeness.gist(request.question)
        return self._key("alike", [settings.EMBEDDINGS, request.messages[0].content, passages, gist])

    @cached_property
    def vector(self) -> NDArray[np.float32] | None:
        """The question's; it may cost a call to an endpoint, so it is asked for last."""
        return likeness.vector(self.request.question, attribution=self.request.attribution)

    @cached_property
    def _owner(self) -> str:
        user_id = self.request.attribution.user_id
        return f"{user_id}:{cache.get_or_set(_name_key(user_id), lambda: uuid4().hex, None)}"

    def _key(self, kind: str, content: object) -> str:
        request = self.request
        parameters = (self.models, request.temperature, request.max_tokens, settings.LLM_REASONING_EFFORT)
        whole = json.dumps([FORMAT, parameters, request.grounded_mode, content])
        return f"answer:{self._owner}:{kind}:{sha256(whole.encode()).hexdigest()}"


def forget_user(user_id: int) -> None:
    """Put all kept answers of a user out of reach; raises whatever the cache raises."""
    cache.delete(_name_key(user_id))


def _name_key(user_id: int | None) -> str:
    return f"answers-of:{user_id}"


def _safely(use: Callable[[], Result]) -> Result | None:
    try:
        return use()
    except Exception:
        logger.warning("The response cache cannot be used; the model is asked", exc_info=True)
        return None
