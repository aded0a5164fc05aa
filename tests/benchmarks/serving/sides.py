"""The sides of the comparison: how each is started, and how it is asked for the same thing."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from django.db import connections

from botgpt.accounts.models import ApiKey, User
from tests.benchmarks import databases
from tests.provider_server import PROVIDER_KEY
from tests.service.running import ROOT

from . import rows as stored
from .processes import served
from .provider import FIRST_WORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .processes import Server
    from .rows import Rows
    from .wire import Answer, Client

QUESTION = "Hello, how are you? Please say in a few words how the weather is and why it matters to me today."
CONVERSATIONS = "/api/v1/conversations"
MODEL = "llama-3.1-8b-instant"
REFERENCE_WINDOW = 32_000  # tokens; the design's own example
OURS, REFERENCE, FLOOR = "service", "reference", "floor"


class Refused(Exception):
    """An answer that is not a success."""


@dataclass(frozen=True, slots=True)
class Side:
    """A server, and who asks it: by a key a user, or by a parameter."""

    server: Server
    rows: Rows
    keys: Mapping[int, str]

    async def start(self, client: Client, _number: int) -> Answer:
        return await self._ask(client, "POST", user=stored.SENDER, body={"first_message": QUESTION})

    async def who_am_i(self, client: Client, _number: int) -> Answer:
        headers = f"authorization: Bearer {self.keys[stored.SENDER]}\r\n"
        return _good(await client.ask("GET", "/api/v1/auth/me", headers=headers))

    async def add(self, client: Client, number: int, *, messages: int) -> Answer:
        path = f"/{self._one(number, messages=messages)}"
        return await self._ask(client, "PUT", path, user=stored.TALKER, body={"message": QUESTION})

    async def list(self, client: Client, _number: int, *, user: int) -> Answer:
        return await self._ask(client, "GET", "?page=1&page_size=20", user=user)

    async def read(self, client: Client, number: int, *, messages: int) -> Answer:
        return await self._ask(client, "GET", f"/{self._one(number, messages=messages)}", user=stored.TALKER)

    async def stream(self, client: Client, number: int) -> Answer:
        path = f"/{self._one(number, messages=2)}/messages"
        body = {"message": QUESTION, "stream": True}
        return await self._ask(client, "POST", path, user=stored.TALKER, body=body, mark=f'"{FIRST_WORD}'.encode())

    def _one(self, number: int, *, messages: int) -> int:
        ids = self.rows.ids(messages=messages)
        return ids[number % len(ids)]

    async def _ask(
        self,
        client: Client,
        method: str,
        path: str = "",
        *,
        user: int,
        body: Mapping[str, object] | None = None,
        mark: bytes | None = None,
    ) -> Answer:
        headers = f"authorization: Bearer {self.keys[user]}\r\n" if self.keys else ""
        if not self.keys:
            path += f"{'&' if '?' in path else '?'}user_id={user}"
        data = None if body is None else orjson.dumps(body)
        answer = await client.ask(method, CONVERSATIONS + path, headers=headers, body=data, mark=mark)
        return _good(answer, marked=mark is not None)


def _good(answer: Answer, *, marked: bool = False) -> Answer:
    if answer.status not in {200, 201} or (marked and answer.mark_seconds is None):
        raise Refused(f"{answer.status} {answer.body[:200]!r}")
    return answer


@contextmanager
def ours(folder: Path, *, rows: Rows, provider: Server, **settings: str) -> Iterator[Side]:
    """The service as it runs in production, with every limit far away but counted; settings as in the environment."""
    with databases.sqlite() as alias:
        with databases.using(alias):
            users = [
                User.objects.create(pk=pk, username=f"user{pk}")
                for pk in (stored.SENDER, stored.SMALL, stored.LARGE, stored.TALKER)
            ]
            keys = {user.pk: ApiKey.objects.issue(user=user, name="bench")[1] for user in users}
        path = Path(str(connections[alias].settings_dict["NAME"]))
        connections[alias].close()
        stored.fill_ours(path, rows)
        environment = {
            "DEBUG": "false",  # whatever a developer's .env says
            "SECRET_KEY": "only-for-benchmarks-" * 3,
            "ALLOWED_HOSTS": "127.0.0.1",
            "HTTPS": "false",
            "DATABASE_URL": f"sqlite:///{path}",
            "MEDIA_ROOT": str(folder / "media"),
            "LIMITS_FILE": str(folder / "limits.sqlite3"),
            "LIMIT_TURNS": "100000000/minute",
            "LIMIT_READS": "100000000/minute",
            "LLM_CHAIN": f"groq/{MODEL}",
            "GROQ_API_KEY": PROVIDER_KEY,
            "GROQ_BASE_URL": f"http://127.0.0.1:{provider.port}",
            "HOME": str(folder),
            "PORT": "{port}",
            **settings,
        }
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment},
            check=True,
        )
        command = ("-m", "gunicorn", "--config", "gunicorn.conf.py", "botgpt.wsgi")
        with served(OURS, *command, environment=environment, folder=folder) as server:
            yield Side(server, rows, keys)


@contextmanager
def reference(folder: Path, *, rows: Rows, provider: Server) -> Iterator[Side]:
    """The reference, one process, as `uvicorn` starts it."""
    path = folder / "reference.sqlite3"
    environment = {
        "DATABASE_URL": f"sqlite:///{path}",
        "GROQ_API_KEY": PROVIDER_KEY,
        "GROQ_BASE_URL": f"http://127.0.0.1:{provider.port}",
        "GROQ_MODEL": MODEL,
        "MAX_CONTEXT_TOKENS": str(REFERENCE_WINDOW),
    }
    subprocess.run(
        [sys.executable, "-c", "import tests.benchmarks.reference"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        check=True,
    )
    stored.fill_reference(path, rows)
    command = ("-m", "uvicorn", "tests.benchmarks.reference:app", "--port", "{port}", "--log-level", "warning")
    with served(REFERENCE, *command, "--no-access-log", environment=environment, folder=folder) as server:
        yield Side(server, rows, {})


@contextmanager
def floor(folder: Path, *, provider: Server) -> Iterator[Side]:
    """The least that a turn can cost, behind as many processes as the service has."""
    environment = {
        "GROQ_API_KEY": PROVIDER_KEY,
        "GROQ_BASE_URL": f"http://127.0.0.1:{provider.port}",
        "GROQ_MODEL": MODEL,
    }
    plain = folder / "floor.conf.py"
    plain.touch()  # else gunicorn would read the service's own
    options = ("--bind", "127.0.0.1:{port}", "--workers", "2", "--worker-class", "gthread", "--threads", "64")
    command = (
        "-m",
        "gunicorn",
        *options,
        "--keep-alive",
        "75",
        "--config",
        str(plain),
        "tests.benchmarks.floor:application",
    )
    with served(FLOOR, *command, environment=environment, folder=folder) as server:
        yield Side(server, stored.Rows(()), {})
