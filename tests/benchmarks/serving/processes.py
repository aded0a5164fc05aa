"""Processes that are measured: started for a run, and read in /proc with all their children."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.service.running import ROOT, START_SECONDS, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, FIRST_TIME, LAST_TIME, THREADS = 1, 11, 15, 17  # fields of /proc/PID/stat behind the name


@dataclass(frozen=True, slots=True)
class Server:
    """A server on loopback and the process that it began with."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def cpu_seconds(self) -> float:
        """What its processes have used, those that have ended included."""
        return sum(sum(map(int, fields[FIRST_TIME:LAST_TIME])) for fields in self._family().values()) / TICKS

    @property
    def memory_mib(self) -> float:
        """The memory that its processes take together; what they share counts once (PSS)."""
        total = 0
        for pid in self._family():
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    @property
    def threads(self) -> int:
        """Of all its processes."""
        return sum(int(fields[THREADS]) for fields in self._family().values())

    def _family(self) -> dict[int, list[str]]:
        everyone = dict(_processes())
        family = {self.process.pid}
        for pid in sorted(everyone):  # a child is mostly younger than its parent; what is missed was reused
            if int(everyone[pid][PARENT]) in family:
                family.add(pid)
        return {pid: everyone[pid] for pid in family if pid in everyone}


def _processes() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def served(name: str, *command: str, environment: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """A server that is up within the block; `{port}` in its command and environment is the port it gets."""
    port = free_port()
    arguments = [sys.executable, *(part.format(port=port) for part in command)]
    variables = {"PATH": os.environ["PATH"]} | {key: value.format(port=port) for key, value in environment.items()}
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            arguments, cwd=ROOT, env=variables, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_up(process, port, log)
        yield Server(name, port, process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"It did not start:\n{log.read_text()[-2_000:]}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
            return
        time.sleep(0.05)
    raise RuntimeError(f"It did not come up in time:\n{log.read_text()[-2_000:]}")
