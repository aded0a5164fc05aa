"""Deletes much from the large store while somebody else goes on sending, and tells how both fared."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.timing import Spread

if TYPE_CHECKING:
    import subprocess

    from .sides import Side

BEFORE = 40  # sends that nothing disturbs
LINE = "| {} | {:.1f} s | {} | {:.0f} / {:.0f} / {:.0f} | {:.0f} / {:.0f} / {:.0f} |"


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What a deletion took, and the milliseconds of sends beside it."""

    seconds: float
    peak_mib: float
    sends: list[float]
    said: str


def report(large: Side, other: Side, *, span: str) -> list[str]:
    """A row for each deletion. Another user, `other`, sends meanwhile."""
    talk = other.started()["id"]
    calm = [_send(other, talk) for _ in range(BEFORE)]
    lines = [
        "| deletion | took | memory at most, MiB | sends meanwhile: p50 / p95 / max, ms | before |",
        "|---|---|---|---|---|",
    ]
    began = time.perf_counter()
    large.call("DELETE", "/conversations/{long}")
    lines.append(f"| `DELETE` of the long conversation | {time.perf_counter() - began:.1f} s | | | |")
    for arguments in (("purge", f"--older-than={span}"), ("erase_user", "demo", "--yes")):
        found = _meanwhile(large.store.manage(*arguments), other, talk)
        lines.append(
            LINE.format(
                f"`{' '.join(arguments)}`: {found.said}",
                found.seconds,
                f"{found.peak_mib:.0f}",
                *_figures(found.sends),
                *_figures(calm),
            )
        )
    return lines


def _meanwhile(process: subprocess.Popen[bytes], other: Side, talk: int) -> Meanwhile:
    began, peak, sends = time.perf_counter(), 0, []
    while process.poll() is None:
        sends.append(_send(other, talk))
        peak = max(peak, _peak(process.pid))
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(output.decode())
    return Meanwhile(time.perf_counter() - began, peak / 1024, sends, output.decode().strip())


def _send(other: Side, talk: int) -> float:
    began = time.perf_counter()
    other.call("POST", f"/conversations/{talk}/messages", json={"message": "And?"})
    return (time.perf_counter() - began) * 1000


def _peak(pid: int) -> int:
    """The most memory that the process had in use, in KiB; 0 when it has ended."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _figures(times: list[float]) -> tuple[float, float, float]:
    spread = Spread.of(times)
    return spread.median, spread.p95, max(times)
