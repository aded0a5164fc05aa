"""What clients send."""

from __future__ import annotations

from typing import IO

from documents.connections import release_connection


class Body:
    """A request's body. It may come slowly, so no connection to the database is held while it is waited for: whoever
    sends it has been looked up before."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        release_connection()
        return self._stream.read(size)

    def readline(self, size: int = -1) -> bytes:
        release_connection()
        return self._stream.readline(size)
