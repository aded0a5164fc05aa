"""`make bench-scaling`: what one machine carries, and what each step to more of it buys.

For each way to run the service, in one run and one after the other: how many turns a second it completes when the model
answers at once, and what it has in hand when the model takes its time: turns, streams, connections to the database, and
how long a read takes meanwhile. Sender, model and service share the machine, so the ratios tell more than the numbers;
the processor time of the service's processes for a turn depends least on what else runs.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
from psycopg import sql

from tests.postgresql import start_postgresql
from tests.provider_server import PROVIDER_KEY, ProviderServer, reply, writes
from tests.service.running import running
from tests.service.workers import children

if TYPE_CHECKING:
    from tests.service.running import Service

CLIENTS = 8
SPEED_SECONDS = 8.0
WAITING = 50  # turns at once for each process
MODEL_SECONDS = 4.0
WORDS = 20

BUSY = 503


@dataclass
class Meanwhile:
    """What a watcher sees while turns wait."""

    reads: list[float] = field(default_factory=list)
    connections: int = 0


def main() -> None:
    postgresql = start_postgresql()
    ways = [
        ("SQLite, 1 process", "", 1),
        ("PostgreSQL, 1 process", postgresql, 1),
        ("PostgreSQL, 2 processes", postgresql, 2),
    ]
    _print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}; a model that takes {MODEL_SECONDS:.0f} s")
    _print(
        "| | turns/s, model at once | processor time a turn, ms | turns waiting | done in, s | streams waiting "
        "| done in, s | connections, most | a read meanwhile, p50 ms |"
    )
    _print("|---|" + "---|" * 8)
    with ProviderServer() as provider:
        for name, url, processes in ways:
            _print(f"| {name} | {_measured(provider, url, processes)} |")


def _measured(provider: ProviderServer, url: str, processes: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            **{"GROQ_API_KEY": PROVIDER_KEY, "GROQ_BASE_URL": provider.url, "LLM_CHAIN": "groq/small"},
            **{"WEB_CONCURRENCY": str(processes), "ANONYMOUS_USER": "demo"},
            **({"DATABASE_URL": _new_database(url)} if url else {}),
        }
        with running(Path(folder), **settings) as service:
            provider.always(reply("Hello."))
            speed, cost = _speed(service)
            provider.always(reply("Hello.", after=MODEL_SECONDS))
            whole, seconds, meanwhile = _at_once(service, settings.get("DATABASE_URL"), WAITING * processes, {})
            provider.always(writes(*["word "] * WORDS, gap=MODEL_SECONDS / WORDS))
            streams, stream_seconds, _ = _at_once(service, None, WAITING * processes, {"stream": True})
    return " | ".join(
        [
            *(f"{speed:.1f}", f"{cost * 1000:.1f}"),
            *(f"{whole}", f"{seconds:.1f}", f"{streams}", f"{stream_seconds:.1f}"),
            *(f"{meanwhile.connections or '-'}", f"{median(meanwhile.reads) * 1000:.0f}"),
        ]
    )


def _speed(service: Service) -> tuple[float, float]:
    """Turns a second of a few clients that ask one after the other, and the processor's seconds for each."""
    until = time.monotonic() + SPEED_SECONDS

    def ask(_: int) -> int:
        done = 0
        with httpx.Client(timeout=60) as client:
            while time.monotonic() < until:
                done += _send(client, service, {})
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        began, used = time.monotonic(), _processor_seconds(service)
        done = sum(pool.map(ask, range(CLIENTS)))
        return done / (time.monotonic() - began), (_processor_seconds(service) - used) / done


def _processor_seconds(service: Service) -> float:
    """What the processes that serve have used so far."""
    used = 0
    for pid in children(service.process.pid):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])  # user and system
    return used / os.sysconf("SC_CLK_TCK")


def _at_once(service: Service, url: str | None, turns: int, body: dict[str, Any]) -> tuple[int, float, Meanwhile]:
    """How many turns that were sent together were completed, in which time, and what was seen meanwhile."""
    meanwhile, over = Meanwhile(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(service, url, meanwhile, over))
    watcher.start()

    def ask(_: int) -> bool:
        with httpx.Client(timeout=120) as client:
            return _send(client, service, body)

    with ThreadPoolExecutor(turns) as pool:
        began = time.monotonic()
        done = sum(pool.map(ask, range(turns)))
    seconds = time.monotonic() - began
    over.set()
    watcher.join()
    return done, seconds, meanwhile


def _send(client: httpx.Client, service: Service, body: dict[str, Any]) -> bool:
    """Ask, again when the process is full; whether it was answered."""
    while True:
        answer = client.post(f"{service.url}/api/v1/conversations", json={"first_message": "Hi", **body})
        if answer.status_code != BUSY:
            return answer.is_success
        time.sleep(float(answer.headers["Retry-After"]))


def _watch(service: Service, url: str | None, meanwhile: Meanwhile, over: threading.Event) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while not over.wait(0.2):
        began = time.perf_counter()
        with suppress(httpx.HTTPError):
            httpx.get(f"{service.url}/api/v1/conversations", timeout=30).raise_for_status()
            meanwhile.reads.append(time.perf_counter() - began)
        if url:
            with closing(psycopg.connect(url)) as connection:
                ((found,),) = connection.execute(count).fetchall()
            meanwhile.connections = max(meanwhile.connections, found)


def _new_database(url: str) -> str:
    name = f"carrying_{time.monotonic_ns()}"
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    address = httpx.URL(url)
    return str(address.copy_with(path=f"/{name}"))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
