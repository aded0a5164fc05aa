"""A reply as server-sent events, which any process can serve from any point on.

The position, an event's `id`, is an offset into the stored text; behind a restart, `restarts.offset`. Whoever reads on
from a position before a restart is told to begin anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.http import StreamingHttpResponse

from documents.connections import release_connection

from .following import follow
from .models import Message
from .serializers import MessageSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

EVENT_STREAM = "text/event-stream"
PING = b": ping\n\n"
ENDS = {
    Message.Status.COMPLETE: "message.completed",
    Message.Status.CANCELLED: "message.cancelled",
}
HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx would collect the events
}


@dataclass(frozen=True, slots=True)
class Position:
    """How much of the text the client has."""

    restarts: int = 0
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Position:
        """From an event's `id`."""
        restarts, _, offset = text.rpartition(".")
        return cls(int(restarts or 0), int(offset))

    def __str__(self) -> str:
        return f"{self.restarts}.{self.offset}" if self.restarts else str(self.offset)


class Stream:
    """Events for a response. Whether they were read or not, in the end `close` is called."""

    def __init__(self, events: Generator[bytes], *, close: Callable[[], object]) -> None:
        self._events, self._close = events, close

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        """The client has all of them, or is gone."""
        self._events.close()
        self._close()


def event_stream(
    reply: Message, *, after: Position | None = None, close: Callable[[], object] = lambda: None, **response: Any
) -> StreamingHttpResponse:
    """The answer to a request for events.

    Args:
        after: where the client has got to, None at the beginning.
        close: called when the answer is over.
    """
    stream = Stream(events(reply, after=after), close=close)
    headers = HEADERS | response.pop("headers", {})
    return StreamingHttpResponse(stream, content_type=EVENT_STREAM, headers=headers, **response)


def events(reply: Message, *, after: Position | None) -> Generator[bytes]:
    """The events of a reply, from a position on until it has ended."""
    position = after or Position()
    if after is None:
        created = {
            "conversation_id": reply.conversation_id,
            "user_message_id": reply.parent_id,
            "assistant_message_id": reply.pk,
        }
        yield _event("message.created", created, position)
    for progress in follow(reply.pk, pause=settings.STREAM_PING_SECONDS):
        # The text at the end of a failed reply is another one than was written.
        text = "" if progress.has_ended else progress.text
        is_silent = True
        if progress.restarts != position.restarts and not progress.has_ended:
            position = Position(progress.restarts)
            yield _event("message.restarted", {}, position)
            is_silent = False
        if len(text) > position.offset:
            delta = {"offset": position.offset, "text": text[position.offset :]}
            position = Position(position.restarts, len(text))
            yield _event("message.delta", delta, position)
            is_silent = False
        if is_silent and not progress.has_ended:
            yield PING
    yield from _last_events(reply, position)


def _last_events(reply: Message, position: Position) -> Iterator[bytes]:
    """What is missing of the text, the citations, and the message as it was stored."""
    message = next(iter(Message.objects.raw("SELECT * FROM messages WHERE id = %s", [reply.pk])), None)
    if message is None:
        release_connection()
        gone = {"message": None, "detail": "The conversation was deleted before its reply was there."}
        yield _event("message.failed", gone, position)
        return
    Message.know_siblings([message])
    whole = MessageSerializer(message).data
    release_connection()  # the client takes these as slowly as the others
    if message.status != Message.Status.FAILED:
        if message.restarts != position.restarts or len(message.content) < position.offset:
            position = Position(message.restarts)
            yield _event("message.restarted", {}, position)
        if len(message.content) > position.offset:
            delta = {"offset": position.offset, "text": message.content[position.offset :]}
            position = Position(position.restarts, len(message.content))
            yield _event("message.delta", delta, position)
        for citation in message.citations:
            yield _event("message.citation", citation, position)
    yield _event(ENDS.get(message.status, "message.failed"), {"message": whole}, position)  # type: ignore[call-overload]


def _event(name: str, data: object, position: Position) -> bytes:
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), str(position).encode(), _json(data))


def _json(data: object) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)
