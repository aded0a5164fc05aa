"""A Redis on loopback: the real one where it is installed, else an imitation that speaks its protocol over TCP."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from fakeredis import TcpFakeServer

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 10


@contextlib.contextmanager
def redis_server(port: int) -> Iterator[str]:
    """Its URL, until the block ends; what it held is gone then."""
    binary = shutil.which("redis-server")
    with _real(binary, port) if binary else _imitation(port):
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def _real(binary: str, port: int) -> Iterator[None]:
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextlib.contextmanager
def _imitation(port: int) -> Iterator[None]:
    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError("Redis did not start in time.")
