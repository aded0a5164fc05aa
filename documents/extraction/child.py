"""What runs in the process that reads one file: limits first, then the reader, then the answer as JSON on a pipe."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from documents.errors import ExtractionError

from . import detection
from .builder import Limits, TextBuilder
from .reasons import DAMAGED, TOO_MUCH_MEMORY, TOO_NESTED

# Modules are imported when they are needed: each brings a library that takes a tenth of a second or more.
READERS = {
    detection.TEXT: ("plain", "read_text"),
    detection.MARKDOWN: ("plain", "read_markdown"),
    detection.HTML: ("markup", "read_html"),
    detection.CSV: ("tables", "read_csv"),
    detection.TSV: ("tables", "read_tsv"),
    detection.JSON: ("structured", "read_json"),
    detection.PDF: ("pdf", "read_pdf"),
    detection.DOCX: ("word", "read_docx"),
    detection.XLSX: ("tables", "read_xlsx"),
}
ORPHAN_SECONDS = 5


def main() -> None:
    """Read the file that the last argument describes (see `sandbox`) and answer on standard output."""
    job = json.loads(sys.argv[-1])
    _limit(memory_bytes=job["memory_bytes"], cpu_seconds=job["cpu_seconds"])
    with _private_stdout() as pipe:
        answer = _answer(job)
        pipe.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())


def _limit(*, memory_bytes: int, cpu_seconds: int) -> None:
    # Set here and not between fork and exec, which is not safe in a process with threads.
    for what, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # macOS has no RLIMIT_AS; the wall clock still holds
            resource.setrlimit(what, (limit, limit))
    # The parent ends this process in time; if the parent is gone, and this one waits and burns no CPU, nobody would.
    signal.alarm(cpu_seconds + ORPHAN_SECONDS)


def _private_stdout() -> IO[bytes]:
    """The pipe to the parent; what a library prints goes nowhere."""
    pipe = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return pipe


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    out = TextBuilder(Limits(**job["limits"]))
    module, function = READERS[job["media_type"]]
    try:
        getattr(import_module(f".{module}", __package__), function)(Path(job["path"]), out)
        text = out.text()
    except ExtractionError as exc:
        return {"reason": exc.reason}
    except MemoryError:
        return {"reason": TOO_MUCH_MEMORY}
    except RecursionError:
        return {"reason": TOO_NESTED}
    except Exception as exc:  # noqa: BLE001  the libraries raise whatever a broken file leads them to
        frames = traceback.format_tb(exc.__traceback__, limit=-3)
        return {"reason": DAMAGED, "log": f"{type(exc).__name__} at {''.join(frames)}"}  # no message: it may quote
    return {
        "text": text,
        "headings": [[heading.start, heading.level, heading.text] for heading in out.headings],
        "pages": [[page.number, page.start, page.end] for page in out.pages],
    }
