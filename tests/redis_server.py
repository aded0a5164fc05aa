"""A Redis on loopback: the real server where it is installed, else fakeredis over TCP; each a process to kill."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from typing import Self

FAKE = "import sys; from fakeredis import TcpFakeServer; TcpFakeServer(('127.0.0.1', int(sys.argv[1]))).serve_forever()"
START_SECONDS = 15


class RedisServer:
    """A context manager; `stop` and `start` in between are an outage, after which nothing is remembered."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        real = shutil.which("redis-server")
        command = (
            [real, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            if real
            else [sys.executable, "-W", "ignore", "-c", FAKE, str(self.port)]
        )
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("Redis did not start.")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()
