"""A pool of two connections carries twenty turns that wait for the model, directly and behind a real PgBouncer."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import connection

from tests.deploy.tools import DEPLOY, found
from tests.provider_server import PROVIDER_KEY, ProviderServer, reply
from tests.service.running import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.provider_server import Connection

TURNS = 20
POOL = 2
SERVER_CONNECTIONS = 2

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")


@contextmanager
def database() -> Iterator[str]:
    """A database of its own on the server of the tests; its URL."""
    import psycopg

    server, name = os.environ["TEST_DATABASE_URL"], f"service_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def behind_pgbouncer(url: str) -> Iterator[str]:
    """The URL of a PgBouncer with our configuration, in front of that database."""
    program, port = found("pgbouncer"), free_port()
    if program is None:
        pytest.skip("pgbouncer is not installed")
    parts = urlsplit(url)
    (folder_of_socket,) = parse_qs(parts.query)["host"]
    Path(folder_of_socket).chmod(0o711)  # PgBouncer refuses to be root, and its user must reach the socket
    with tempfile.TemporaryDirectory(prefix="pgbouncer") as name:
        folder = Path(name)
        folder.chmod(0o755)
        users = folder / "userlist.txt"
        users.write_text('"botgpt" "secret"\n')
        ini = (DEPLOY / "pgbouncer/pgbouncer.ini").read_text()
        for ours, here in {
            "host=db port=5432 dbname=botgpt": f"host={folder_of_socket} dbname={parts.path[1:]} user={parts.username}",
            "listen_port = 6432": f"listen_port = {port}",
            "/run/pgbouncer/userlist.txt": str(users),
            "default_pool_size = 20": f"default_pool_size = {SERVER_CONNECTIONS}",
        }.items():
            assert ours in ini
            ini = ini.replace(ours, here)
        (folder / "pgbouncer.ini").write_text(ini)
        user = "nobody" if os.getuid() == 0 else None
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, folder / "pgbouncer.ini"], user=user, stdout=log, stderr=log)
        try:
            yield f"postgres://botgpt:secret@127.0.0.1:{port}/botgpt"
        finally:
            process.terminate()
            process.wait(timeout=20)


def ask(url: str, text: str) -> str:
    body = json.dumps({"first_message": text}).encode()
    headers = {"content-type": "application/json"}
    answer = urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/conversations", body, headers))
    return str(json.load(answer)["messages"][1]["content"])


def connections_of(url: str) -> int:
    import psycopg

    with psycopg.connect(url) as watcher:
        row = watcher.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize("way", ["direct", "pgbouncer"])
def test_turns_that_wait_for_the_model_hold_no_connection(tmp_path: Path, way: str) -> None:
    together = threading.Barrier(TURNS + 1, timeout=30)

    def answer(connection: Connection) -> None:
        together.wait()  # all turns wait for the model at once: none waits for a connection
        together.wait()
        reply("An answer")(connection)

    with ExitStack() as stack:
        direct = stack.enter_context(database())
        url = direct if way == "direct" else stack.enter_context(behind_pgbouncer(direct))
        groq = stack.enter_context(ProviderServer())
        groq.always(answer)
        settings = {
            "DATABASE_URL": url,
            "DATABASE_POOL_SIZE": str(POOL),
            "WEB_CONCURRENCY": "1",
            "WEB_THREADS": str(TURNS + 4),
            "GROQ_API_KEY": PROVIDER_KEY,
            "GROQ_BASE_URL": groq.url,
            "LLM_CHAIN": "groq/small",
            "LLM_CALL_SECONDS": "60",
        }
        service = stack.enter_context(running(tmp_path, **settings))
        with ThreadPoolExecutor(TURNS) as pool:
            turns = [pool.submit(ask, service.url, f"Question {number}") for number in range(TURNS)]
            together.wait()
            assert connections_of(direct) <= max(POOL, SERVER_CONNECTIONS)
            began = time.monotonic()
            assert urllib.request.urlopen(f"{service.url}/api/v1/conversations").status == 200
            assert time.monotonic() - began < 5  # others are served meanwhile
            together.wait()
            assert [turn.result() for turn in turns] == ["An answer"] * TURNS
        assert "Traceback" not in service.output
