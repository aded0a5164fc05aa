"""A COMMIT that is done and whose answer is lost: what is tried again must not be booked again."""

from __future__ import annotations

import selectors
import socket
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingMixIn, UnixStreamServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from tests.postgresql import new_server
from tests.provider_server import PROVIDER_KEY, ProviderServer, reply, status
from tests.service.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET = ".s.PGSQL.5432"
TOKENS = 120  # of a reply by the provider of the tests


class Link(BaseRequestHandler):
    """A connection to the database that goes by here."""

    server: LossyLinks

    def handle(self) -> None:
        service: socket.socket = self.request
        sent = b""
        with socket.socket(socket.AF_UNIX) as database, selectors.DefaultSelector() as sources:
            database.connect(self.server.behind)
            sources.register(service, selectors.EVENT_READ, (service, database))
            sources.register(database, selectors.EVENT_READ, (database, service))
            while True:
                for key, _ in sources.select():
                    source, other = key.data
                    if not (data := source.recv(65_536)):
                        return
                    other.sendall(data)
                    if source is database:
                        continue
                    sent += data
                    if b"COMMIT" in data:
                        if self.server.loses(sent):
                            database.recv(65_536)  # it is done, and nobody is told
                            return
                        sent = b""


class LossyLinks(ThreadingMixIn, UnixStreamServer):
    """A way to a database on which the answers to some COMMITs get lost."""

    daemon_threads = True

    def __init__(self, folder: str, *, behind: str) -> None:
        super().__init__(f"{folder}/{SOCKET}", Link)
        self.behind = behind
        self.lost = 0
        self._lock, self._losing = threading.Lock(), 0

    def lose(self, times: int) -> None:
        """The next transactions that write to the ledger."""
        self.lost, self._losing = 0, times

    def loses(self, transaction: bytes) -> bool:
        """Whether this one's answer gets lost."""
        with self._lock:
            if not self._losing or b'INSERT INTO "llm_calls"' not in transaction:
                return False
            self._losing, self.lost = self._losing - 1, self.lost + 1
            return True


@contextmanager
def lossy(server: Any) -> Iterator[tuple[LossyLinks, str]]:
    """A way to it, and the URL of that."""
    with (
        tempfile.TemporaryDirectory(prefix="pg") as folder,
        LossyLinks(folder, behind=f"{server.pgdata}/{SOCKET}") as links,
    ):
        threading.Thread(target=links.serve_forever, daemon=True).start()
        try:
            yield links, f"postgresql://postgres:@/postgres?host={quote(folder)}"
        finally:
            links.shutdown()


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.mark.parametrize("times", [1, 2])
def test_a_commit_whose_answer_is_lost_books_nothing_twice(
    tmp_path: Path, provider: ProviderServer, times: int
) -> None:
    server = new_server()
    settings = {
        "GROQ_BASE_URL": provider.url,
        "GROQ_API_KEY": PROVIDER_KEY,
        "LLM_CHAIN": "groq/small,groq/large",
        "LLM_BUDGET_DAY_TOKENS": "100000000",
        "WEB_CONCURRENCY": "1",
    }
    with lossy(server) as (links, url), running(tmp_path, DATABASE_URL=url, **settings) as service:
        links.lose(times)
        provider.will(status(404), model="small")
        provider.will(reply("Once"), model="large")
        answer = httpx.post(f"{service.url}/api/v1/conversations", json={"first_message": "Hello"}, timeout=30)
        assert links.lost == times
        assert answer.status_code == 201
        assert answer.json()["messages"][-1]["content"] == "Once"
        with psycopg.connect(server.get_uri()) as connection:
            calls = connection.execute(
                "SELECT model, prompt_tokens + completion_tokens FROM llm_calls WHERE provider = 'groq' ORDER BY id"
            ).fetchall()
            spent = connection.execute("SELECT day_tokens FROM allowances WHERE day_tokens > 0").fetchall()
        assert calls == [("small", 0), ("large", TOKENS)]
        assert spent == [(TOKENS,)]
