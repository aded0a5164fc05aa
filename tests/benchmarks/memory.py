"""`make bench-memory`: what the service takes, at rest, after load, over many turns, and while it reads a file.

It runs as in production (gunicorn, two workers, SQLite). Memory is PSS of its whole tree of processes, in which pages
that several share count once. And how long the first turns after the start take.
"""

from __future__ import annotations

import itertools
import logging
import signal
import statistics
import sys
import threading
import time
from argparse import ArgumentParser
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import django
import httpx
import uvloop

django.setup()

from . import indexing  # noqa: E402  Django must be set up before
from .databases import SQLITE  # noqa: E402
from .report import machine  # noqa: E402
from .serving import rows, scenarios, sides  # noqa: E402
from .serving.processes import served  # noqa: E402
from .texts import Writer  # noqa: E402

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from .serving.processes import Server
    from .serving.sides import Side

FIRST = 8  # clients whose first turns reach both workers
CLIENTS, MANY = 16, 64
GROWTH = (2_000, 6_000, 10_000, 20_000, 40_000)  # turns after which it is looked at
STARTS, WORKERS = 12, 2  # turns after the start, of which the first of each worker is slow
# Chunks that make a text of 50 MB, and a PDF of as many pages as it may have.
CHUNKS = {"txt": 75_000, "pdf": 5_000}
READING_SECONDS = 480  # for one file
SAMPLE_SECONDS = 0.05
# What a file of 50 MB needs, all of it beyond the defaults.
RAISED = {"MAX_UPLOAD_BYTES": "67108864", "MAX_DOCUMENT_CHARS": "60000000", "EXTRACTION_SECONDS": "240"}


@dataclass(slots=True)
class Peak:
    """The most that was seen, and what there was before."""

    before: float
    most: float


def main() -> None:
    options = _options()
    logging.disable(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    given = dict(pair.split("=", 1) for pair in options.set)
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        module = "tests.benchmarks.serving.provider"
        with served("provider", "-m", module, "{port}", environment={}, folder=folder) as provider:
            _print("| | |", "|---|---|")
            for part in options.only or PARTS:
                measure, settings = PARTS[part]
                with sides.ours(folder, rows=rows.Rows(()), provider=provider, **(settings | given)) as side:
                    for what, amount in measure(side, provider):
                        unit = "ms" if part == "start" else "MiB"
                        _print(f"| {what} | {amount:.0f} {unit} |")
    _print("", *machine([SQLITE], packages="Django gunicorn groq httpx numpy wordllama pypdfium2"))


def _start(side: Side, _provider: Server) -> Iterator[tuple[str, float]]:
    """Each turn by a connection of its own, so that both workers get some."""
    seconds = []
    headers = {"authorization": f"Bearer {side.keys[rows.SENDER]}", "connection": "close"}
    with httpx.Client(headers=headers, base_url=f"http://127.0.0.1:{side.server.port}/api/v1") as client:
        for _ in range(STARTS):
            began = time.perf_counter()
            client.post("/conversations", json={"first_message": "Hello"}).raise_for_status()
            seconds.append(time.perf_counter() - began)
    seconds.sort()
    yield "the first turn of a worker", statistics.mean(seconds[-WORKERS:]) * 1000
    yield "a later one, median", statistics.median(seconds[:-WORKERS]) * 1000


def _load(side: Side, provider: Server) -> Iterator[tuple[str, float]]:
    """After the first turns, and after as many clients as two workers of 128 threads hold."""
    _turn(side, provider, clients=FIRST, each=2)
    yield "after the first turns", side.server.memory_mib
    _turn(side, provider, clients=200, each=2, wait=1.0)
    yield "after 200 clients that wait a second on the provider", side.server.memory_mib


def _growth(side: Side, provider: Server) -> Iterator[tuple[str, float]]:
    """What grows with every turn shows as a slope: first more clients have most threads work, so that few are added."""
    done, found = _turn(side, provider, clients=MANY, each=4), dict[int, float]()
    for turns in GROWTH:
        done += _turn(side, provider, clients=CLIENTS, each=(turns - done) // CLIENTS)
        found[done] = side.server.memory_mib
        yield f"after {done:,} turns of {CLIENTS} clients, {side.server.threads} threads", found[done]
    first, *_, last = found
    slope = (found[last] - found[first]) * 2**20 / (last - first)
    _print(f"| growth from {first:,} to {last:,} turns: {slope:,.0f} bytes a turn | |")


def _text(side: Side, _provider: Server) -> Iterator[tuple[str, float]]:
    yield from _read(side, "txt")


def _pdf(side: Side, _provider: Server) -> Iterator[tuple[str, float]]:
    yield from _read(side, "pdf")


def _read(side: Side, ending: str) -> Iterator[tuple[str, float]]:
    """The most while a file is taken in, and what stays."""
    make = next(kind.make for kind in indexing.KINDS if kind.ending == ending)
    data = make(Writer(1).document(chunks=CHUNKS[ending]))
    with _watched(side.server) as peak:
        answer = httpx.post(
            f"http://127.0.0.1:{side.server.port}/api/v1/documents",
            files={"file": (f"large.{ending}", data)},
            headers={"authorization": f"Bearer {side.keys[rows.SENDER]}"},
            timeout=READING_SECONDS,
        )
    document = answer.json()
    if document.get("status") != "ready":
        raise RuntimeError(f"It was not read: {answer.status_code} {document}")
    what = f"{len(data) / 1e6:.0f} MB of {ending}, {document['chunk_count']:,} chunks"
    yield f"before {what}", peak.before
    yield f"at most, meanwhile ({answer.elapsed.total_seconds():.0f} s)", peak.most
    yield "afterwards", side.server.memory_mib


@contextmanager
def _watched(server: Server) -> Iterator[Peak]:
    before = server.memory_mib
    peak, ended = Peak(before, before), threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak.most = max(peak.most, server.memory_mib)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _turn(side: Side, provider: Server, *, clients: int, each: int, wait: float = 0.0) -> int:
    """Let clients start conversations; how many turns there were."""
    scenario = scenarios.Scenario("turns", clients, type(side).start, wait=wait, each=each)
    coroutine = scenarios.run(scenario, side, provider, seconds=0, numbers=itertools.count())
    done = uvloop.run(coroutine)
    if done.errors:
        _print(f"| not answered: {dict(done.errors)} | |")
    return clients + len(done.seconds)


# Each on a service of its own, with what it needs beyond the defaults.
PARTS: dict[str, tuple[Callable[[Side, Server], Iterator[tuple[str, float]]], dict[str, str]]] = {
    "start": (_start, {}),
    "load": (_load, {"WEB_THREADS": "128"}),
    "growth": (_growth, {}),
    "text": (_text, RAISED),
    "pdf": (_pdf, RAISED),
}


def _options() -> Namespace:
    parser = ArgumentParser(prog="make bench-memory", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; all of them without it")
    parser.add_argument("--set", action="append", default=[], help="a variable of the service: WEB_THREADS=32")
    return parser.parse_args()


def _print(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
