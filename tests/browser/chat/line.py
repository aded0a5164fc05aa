"""A connection that can fail: everything between a browser and the service goes through it, until it is cut."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from typing import Self

PIECE = 65_536


class _Pair(socketserver.BaseRequestHandler):
    """One connection of the browser and the one to the service that belongs to it."""

    server: Line

    def handle(self) -> None:
        if self.server.is_cut:
            return
        with socket.create_connection(("127.0.0.1", self.server.port_of_service)) as service:
            self.server.sockets += [self.request, service]
            back = threading.Thread(target=self._pass_on, args=(service, self.request), kwargs={"is_answer": True})
            back.start()
            self._pass_on(self.request, service, is_answer=False)
            back.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, *, is_answer: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if not is_answer:
                    self.server.asked += piece
                if not (is_answer and self.server.swallows_answers):
                    target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class Line(socketserver.ThreadingTCPServer):
    """The way to the service at this port, while the block lasts.

    Attributes:
        swallows_answers: what the service says does not arrive, while what it is asked does.
        asked: all that it was sent.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port_of_service: int) -> None:
        super().__init__(("127.0.0.1", 0), _Pair)
        self.port_of_service = port_of_service
        self.is_cut = self.swallows_answers = False
        self.sockets: list[socket.socket] = []
        self.asked = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def cut(self) -> None:
        """End every connection, and let no new one through."""
        self.is_cut = True
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()

    def mend(self) -> None:
        self.is_cut = self.swallows_answers = False

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.cut()
        self.shutdown()
        self.server_close()
