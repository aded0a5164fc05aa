"""Real Celery workers beside a running service."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.service.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.service.running import Service

SECONDS = 40
real_redis = pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed")


@contextmanager
def worker(service: Service, log: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """One worker process with one process that works."""
    command = [sys.executable, "-m", "celery", "--app", "botgpt.celery", "worker", "--concurrency", "1", *options]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(service.environment), stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]
