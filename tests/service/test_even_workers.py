"""Connections that are kept open are shared out among the workers."""

from __future__ import annotations

import http.client
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.service.running import running

if TYPE_CHECKING:
    from tests.service.running import Service

CONNECTIONS = 60
LEAST = 25  # of a worker


def test_no_worker_has_most_of_the_connections(tmp_path: Path) -> None:
    with running(tmp_path, WEB_CONCURRENCY="2") as service, ExitStack() as opened:

        def open_one() -> None:
            connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=10)
            opened.enter_context(closing(connection))
            connection.request("GET", "/health")
            assert connection.getresponse().read()

        at_rest = _sockets(service)
        while len(before := _sockets(service)) < 2 or any(before[pid] <= at_rest.get(pid, 0) for pid in before):
            open_one()  # until both take connections
        for _ in range(CONNECTIONS):
            open_one()
        after = _sockets(service)
        shares = [after[worker] - before[worker] for worker in before]
    assert sum(shares) == CONNECTIONS
    assert min(shares) >= LEAST, shares


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
