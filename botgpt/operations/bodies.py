"""What clients send."""

from __future__ import annotations

from contextlib import nullcontext
from typing import IO, Final

from documents.connections import release_connection
from documents.elsewhere import elsewhere

SHORT: Final = 8_192  # bytes, which mostly come with the head


class Body:
    """A request's body. It may come slowly, so no connection to the database is held while it is waited for: whoever
    sends it has been looked up before. Nor is a place, for a long one: to give it up costs a change of threads.

    Args:
        length: as the request says it, if it does.
    """

    def __init__(self, stream: IO[bytes], *, length: str = "") -> None:
        self._stream = stream
        is_short = length.isdecimal() and int(length) <= SHORT
        self._waiting = nullcontext if is_short else elsewhere

    def read(self, size: int = -1) -> bytes:
        release_connection()
        with self._waiting():
            return self._stream.read(size)

    def readline(self, size: int = -1) -> bytes:
        release_connection()
        with self._waiting():
            return self._stream.readline(size)
