"""`manage.py ingest`: files and folders into documents."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files import File
from django.core.management.base import CommandError

from documents import terminal
from documents.errors import RejectedFile, UnsupportedFile
from documents.extraction.detection import SUPPORTED
from documents.ingestion import add_document
from documents.models import Document
from documents.terminal import user_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.core.management.base import CommandParser

    from botgpt.accounts.models import User

ADDED, UNCHANGED, SKIPPED, FAILED = "added", "unchanged", "skipped", "failed"
RESULTS = (ADDED, UNCHANGED, SKIPPED, FAILED)
EPILOG = """\
examples:
  manage.py ingest handbook.pdf --user alice
  manage.py ingest policies/ manuals/ --shared
  manage.py ingest policies/ --user alice --json | jq '.files[] | select(.result == "failed")'
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: added, unchanged (its bytes were there), skipped or failed, and then why."""

    path: str
    result: str
    document_id: int | None = None
    chunk_count: int = 0
    reason: str = ""


class Command(terminal.Command):
    """Ingests files and folders."""

    epilog = EPILOG

    help = (
        "Read files into documents and index them. Folders are read whole, in the order of\n"
        "their names, without hidden files and kinds that are not read. The status is 1 if any\n"
        f"file failed. What can be read: {SUPPORTED}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a file or a folder")
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--user", metavar="NAME", help="the user who gets the documents (default: %(default)s)")
        whose.add_argument("--shared", action="store_true", help="share the documents with everyone")
        parser.set_defaults(user=settings.ANONYMOUS_USER or None)

    def handle(self, *, paths: list[Path], user: str | None, shared: bool, **_: Any) -> None:
        owner = None if shared else self._owner(user)
        files = list(files_in(paths))
        if not files:
            raise CommandError(f"No files were found in {', '.join(map(str, paths))}. Hidden ones are left alone.")
        outcomes = [ingest_file(path, owner=owner, is_named=path in paths) for path in self.each(files, unit="file")]
        self._say_table(outcomes)
        counts = {result: sum(o.result == result for o in outcomes) for result in RESULTS}
        self.print_json(counts | {"files": [asdict(outcome) for outcome in outcomes]})
        if failed := sum(outcome.result == FAILED for outcome in outcomes):
            raise CommandError(f"{failed} of {len(outcomes)} files failed.")

    @staticmethod
    def _owner(name: str | None) -> User:
        if not name:
            raise CommandError("Say whose the documents are: --user NAME, or --shared for everyone.")
        return user_named(name)

    def _say_table(self, outcomes: list[Outcome]) -> None:
        for result, style in (
            (ADDED, self.style.SUCCESS),
            (UNCHANGED, self.style.NOTICE),
            (SKIPPED, self.style.NOTICE),
            (FAILED, self.style.ERROR),
        ):
            several = [outcome for outcome in outcomes if outcome.result == result]
            chunks = sum(outcome.chunk_count for outcome in several)
            detail = f"{chunks:>8,} chunks" if result == ADDED else ""
            self.say(f"{result:<10}{len(several):>6,} files{detail}", style)
        failures = [outcome for outcome in outcomes if outcome.reason]
        width = max((len(outcome.path) for outcome in failures), default=0)
        for outcome in failures:
            self.say(f"  {outcome.path:<{width}}  {outcome.reason}")


def ingest_file(path: Path, *, owner: User | None, is_named: bool) -> Outcome:
    """Make a file a document of the owner, and say what became of it.

    Args:
        is_named: somebody wants this very file; else one of a kind that is not read is skipped.
    """
    try:
        with path.open("rb") as stream:
            document, created = add_document(owner=owner, file=File(stream), filename=path.name, metadata={})
    except (RejectedFile, OSError) as exc:
        reason = exc.strerror or str(exc) if isinstance(exc, OSError) else str(exc)
        is_skipped = isinstance(exc, UnsupportedFile) and not is_named
        return Outcome(str(path), SKIPPED if is_skipped else FAILED, reason=reason)
    if document.status == Document.Status.FAILED:
        return Outcome(str(path), FAILED, document.pk, reason=document.error)
    return Outcome(str(path), ADDED if created else UNCHANGED, document.pk, document.chunk_count)


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named and those in the folders named, sorted, without hidden ones.

    A folder that may not be listed is among them itself, so that it is said when it cannot be read.

    Raises:
        CommandError: a path does not exist; before anything is read.
    """
    paths = list(paths)
    for path in paths:
        if not path.exists():
            raise CommandError(f"There is no file or folder {str(path)!r}.")
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        unread: list[OSError] = []
        for folder, subfolders, names in os.walk(path, onerror=unread.append):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            found = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
            yield from (path for path in found if path.is_file())
        yield from (Path(error.filename) for error in unread)
