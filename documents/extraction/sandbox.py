"""Reads a file in a process of its own, with hard limits on memory and time."""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from documents.errors import ExtractionError
from documents.types import Extracted, Heading, PageSpan

from .reasons import BUSY, CRASHED, TOO_MUCH_MEMORY, TOO_SLOW

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
# -I: no environment variables, no user packages, no current directory. So the child is told where we are.
PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from documents.extraction.child import main; main()"
BLOCK_BYTES = 2**20
# JSON in UTF-8 takes at most 6 bytes for a character; headings repeat a little of the text.
BYTES_A_CHARACTER = 8
# Each child may take a gigabyte and a core: no more at once than there are cores, whoever uploads.
PLACES = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
PLACE_SECONDS = 60
ENDED_BY: dict[int, str] = {
    signal.SIGXCPU: TOO_SLOW,
    signal.SIGKILL: TOO_MUCH_MEMORY,  # not by us: the kernel, out of memory
}


def extract(path: Path, *, media_type: str) -> Extracted:
    """The text of a file. Takes .1 to .5 s for a usual one and at most `EXTRACTION_SECONDS`, plus a wait for a place.

    Args:
        media_type: as `detection.detect` told it.

    Raises:
        ExtractionError: with the reason in words: protected, damaged, without text, over a limit, too slow.
    """
    job = {
        "path": str(path.resolve()),
        "media_type": media_type,
        "memory_bytes": settings.EXTRACTION_MEMORY_BYTES,
        "cpu_seconds": settings.EXTRACTION_SECONDS,
        "limits": {
            "chars": settings.MAX_DOCUMENT_CHARS,
            "pages": settings.MAX_DOCUMENT_PAGES,
            "unpacked_bytes": settings.MAX_UNPACKED_BYTES,
        },
    }
    with _place():
        answer = _run(job, seconds=settings.EXTRACTION_SECONDS)
    if reason := answer.get("reason"):
        if "log" in answer:
            logger.warning("A reader failed", extra={"media_type": media_type, "where": answer["log"]})
        raise ExtractionError(reason)
    return Extracted(
        text=answer["text"],
        media_type=media_type,
        headings=tuple(Heading(start=start, level=level, text=text) for start, level, text in answer["headings"]),
        pages=tuple(PageSpan(number=number, start=start, end=end) for number, start, end in answer["pages"]),
    )


@contextmanager
def _place() -> Iterator[None]:
    if not PLACES.acquire(timeout=PLACE_SECONDS):
        raise ExtractionError(BUSY)
    try:
        yield
    finally:
        PLACES.release()


def _run(job: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    with subprocess.Popen(  # noqa: S603  our own interpreter; the file's path is data inside one argument
        [sys.executable, "-I", "-c", PROGRAM, str(ROOT), json.dumps(job)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},  # none of ours: it holds the secrets
        cwd="/",
        start_new_session=True,
    ) as process:
        try:
            output = _read(process, deadline=deadline, limit=job["limits"]["chars"] * BYTES_A_CHARACTER + BLOCK_BYTES)
            status = process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as exc:
            raise ExtractionError(TOO_SLOW) from exc
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if status == 0:
        answer: dict[str, Any] = json.loads(output)
        return answer
    logger.warning("A reading process ended early", extra={"media_type": job["media_type"], "status": status})
    raise ExtractionError(ENDED_BY.get(-status, CRASHED))


def _read(process: subprocess.Popen[bytes], *, deadline: float, limit: int) -> bytes:
    """All that the child writes.

    Raises:
        subprocess.TimeoutExpired: it is not done by the deadline.
        ExtractionError: it writes more than the limit; a reader that keeps its own limits does not.
    """
    assert process.stdout is not None  # noqa: S101  for the type checker: it was asked for
    blocks: list[bytes] = []
    total = 0
    with selectors.DefaultSelector() as selector:  # select() cannot take descriptors above 1023
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise subprocess.TimeoutExpired(process.args, timeout=left)
            block = os.read(process.stdout.fileno(), BLOCK_BYTES)
            if not block:
                return b"".join(blocks)
            blocks.append(block)
            total += len(block)
            if total > limit:
                raise ExtractionError(CRASHED)
