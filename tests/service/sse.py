"""Reads server-sent events from the service, as a browser does."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SECONDS = 30


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    id: str
    data: dict[str, Any]


@contextmanager
def events(method: str, url: str, **request: Any) -> Iterator[Iterator[Event]]:
    """The events of a request, as they come; leaving the block closes the connection."""
    with httpx.stream(method, url, timeout=SECONDS, **request) as response:
        if response.status_code >= 400:
            raise AssertionError(response.read())
        assert response.headers["content-type"] == "text/event-stream"
        yield parsed(response.iter_lines())


def all_events(method: str, url: str, **request: Any) -> list[Event]:
    with events(method, url, **request) as stream:
        return list(stream)


def text_of(received: Iterable[Event]) -> str:
    """What a client shows that follows the events: every delta at its offset, nothing spliced."""
    text = ""
    for event in received:
        if event.name == "message.restarted":
            text = ""
        if event.name == "message.delta":
            assert event.data["offset"] == len(text)
            text += event.data["text"]
    return text


def parsed(lines: Iterator[str]) -> Iterator[Event]:
    """The events of the lines of a stream."""
    fields: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and fields:
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}
