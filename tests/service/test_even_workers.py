"""Connections that are kept open are shared out among the workers; in one of them, slow clients keep nobody."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botgpt.operations.run_queue import PATIENCE_SECONDS
from tests.service.running import ROOT, free_port, running

if TYPE_CHECKING:
    from tests.service.running import Service

CONNECTIONS = 120
LEAST = 50  # of a worker; it was 17 to 46 where the quickest took them, 58 to 60 since they are shared
SLOW = 30
SILENT = 100
BEGINNING = (
    b"POST /api/v1/conversations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b'Content-Length: 1000\r\n\r\n{"first_message": "'
)
BREAKING = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun"
    raise ValueError("The database is away.")
"""


def test_no_worker_has_most_of_the_connections(tmp_path: Path) -> None:
    with running(tmp_path, WEB_CONCURRENCY="2") as service, ExitStack() as opened:

        def open_one() -> None:
            connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=10)
            opened.enter_context(closing(connection))
            connection.request("GET", "/health")
            assert connection.getresponse().read()

        while len(shares := _sockets(service)) < 2 or sum(shares.values()) < CONNECTIONS:
            open_one()
    assert min(shares.values()) >= LEAST, shares


def test_bodies_that_come_slowly_keep_nobody(tmp_path: Path) -> None:
    """One request computes at a time; these are in the middle of it."""
    with running(tmp_path, WEB_CONCURRENCY="1") as service, ExitStack() as opened:
        address = urlsplit(service.url)
        for _ in range(SLOW):
            slow = opened.enter_context(socket.create_connection((address.hostname, address.port)))
            slow.sendall(BEGINNING)
        time.sleep(SLOW * PATIENCE_SECONDS + 0.5)
        times = []
        for _ in range(20):
            connection = http.client.HTTPConnection(address.netloc, timeout=10)
            with closing(connection):
                began = time.monotonic()
                connection.request("GET", "/api/v1/conversations")
                assert connection.getresponse().status == HTTPStatus.OK
                times.append(time.monotonic() - began)
    assert median(times) < SLOW * PATIENCE_SECONDS, times


def test_connections_on_which_nothing_comes_keep_nobody(tmp_path: Path) -> None:
    with running(tmp_path, WEB_CONCURRENCY="1") as service, ExitStack() as opened:
        address = urlsplit(service.url)
        for _ in range(SILENT):
            opened.enter_context(socket.create_connection((address.hostname, address.port)))
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        with closing(connection):
            began = time.monotonic()
            connection.request("GET", "/health")
            assert connection.getresponse().status == HTTPStatus.OK
            assert time.monotonic() - began < SILENT * PATIENCE_SECONDS / 2


def test_answers_that_break_off_cost_no_worker(tmp_path: Path) -> None:
    """gunicorn counts their connections down twice."""
    (tmp_path / "breaking.py").write_text(BREAKING)
    (configuration := tmp_path / "gunicorn.conf.py").touch()  # else it takes the service's
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "2"]
    worker = ["--worker-class", "botgpt.operations.gunicorn_worker.EvenWorker", "--config", str(configuration)]
    log = tmp_path / "log"
    with log.open("wb") as output:
        command = [*gunicorn, *worker, "--pythonpath", str(tmp_path), "breaking:application"]
        process = subprocess.Popen(command, cwd=ROOT, stderr=output)
    try:
        for _ in range(20):
            assert _read(port) == b"begun"
    finally:
        process.terminate()
        process.wait()
    assert "Traceback" in log.read_text()  # of the application
    assert "exited" not in log.read_text()


def _read(port: int) -> bytes:
    """What an answer has before it breaks off, as soon as there is one."""
    until = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with closing(connection):
            try:
                connection.request("GET", "/")
                return connection.getresponse().read()
            except http.client.IncompleteRead as broken:
                return broken.partial
            except ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)


def _sockets(service: Service) -> dict[int, int]:
    """The number of open sockets of each worker."""
    numbers = (entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit())
    pids = [pid for pid in map(int, numbers) if _parent(pid) == service.process.pid]
    return {pid: sum("socket:" in _target(file) for file in Path(f"/proc/{pid}/fd").iterdir()) for pid in pids}


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:
        return ""
