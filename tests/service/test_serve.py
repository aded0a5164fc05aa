"""`manage.py serve`: from nothing to a running service, and cleanly back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.service.running import ROOT, free_port, running
from tests.service.workers import until

if TYPE_CHECKING:
    from pathlib import Path


SLOW_TO_BEGIN = """
import pathlib
import time

exec(pathlib.Path("gunicorn.conf.py").read_text())


def post_fork(server, worker):
    pathlib.Path(os.environ["FORKED"]).touch()
    time.sleep(1)
"""


def test_it_says_where_everything_is_and_ends_cleanly_on_ctrl_c(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        ready = json.load(urllib.request.urlopen(f"{service.url}/health/ready"))
        assert ready["llm"]["mode"] == "offline"
        assert service.stop() == 0
        output = service.output
    for address in ("/api/v1", "/api/v1/docs", "/admin/"):
        assert f"{service.url}{address}" in output
    assert "curl" in output
    assert "GROQ_API_KEY" in output
    assert "Traceback" not in output


def test_a_second_start_keeps_the_data(tmp_path: Path) -> None:
    for _ in range(2):
        with running(tmp_path) as service:
            body = json.load(urllib.request.urlopen(f"{service.url}/api/v1/documents"))
            assert body["total"] == 4
            assert service.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_is_just_beginning_hears_that_it_is_to_end(tmp_path: Path, how: signal.Signals) -> None:
    (configuration := tmp_path / "slow.conf.py").write_text(SLOW_TO_BEGIN)
    forked = tmp_path / "forked"
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", str(configuration), "botgpt.wsgi"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DEBUG": "true",
            "SECRET_KEY": "x",
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            "PORT": str(free_port()),
            "WEB_CONCURRENCY": "1",
            "FORKED": str(forked),
        },
        start_new_session=True,
    ) as process:
        try:
            assert until(forked.exists)
            os.killpg(process.pid, how) if how == signal.SIGINT else process.send_signal(how)
            assert process.wait(timeout=15) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_an_occupied_port_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", free_port()))
        occupant.listen()
        port = occupant.getsockname()[1]
        environment = {"DEBUG": "true", "SECRET_KEY": "x", "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used: Address already in use." in done.stderr
    assert f"make run PORT={port + 1}" in done.stderr
    assert not list(tmp_path.iterdir())
