"""The service as `make run` starts it: a real gunicorn over a database of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `environment` is what a `manage.py` command needs to work on the same data."""

    url: str
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        """Everything that was printed so far."""
        return self.log.read_text()

    def stop(self) -> int:
        """Press Ctrl-C, which a terminal sends to every process of the group; gives the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path, **settings: str) -> Iterator[Service]:
    """`manage.py serve` with its data in `folder`, until the block ends."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "DEBUG": "true",
        "SECRET_KEY": "only-for-tests",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "MEDIA_ROOT": str(folder / "media"),
        "GROQ_API_KEY": "",
        **settings,
    }
    log = folder / "output.log"
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    service = Service(f"http://127.0.0.1:{port}", environment, process, log)
    try:
        _wait_until_healthy(service)
        yield service
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(service: Service) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if service.process.poll() is not None:
            raise RuntimeError(f"The service did not start:\n{service.output}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{service.url}/health")
            return
        time.sleep(0.1)
    raise RuntimeError("The service did not become healthy in time.")
