"""`manage.py export_user`: everything that is kept of a user, as a ZIP file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from botgpt.operations import privacy
from documents import terminal
from documents.terminal import user_named

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

EPILOG = """\
The ZIP holds account.json, conversations/ID.json with the messages of all branches, documents.json with the
original files under documents/ID/, and ledger.json. Passwords and the secrets of API keys are not in it.

examples:
  manage.py export_user alice
  manage.py export_user alice --output /srv/exports/alice.zip

The exit status is 1 when something could not be exported; what it was is said.
"""


class Command(terminal.Command):
    """Hands a user's data over."""

    epilog = EPILOG

    help = "Write everything that is kept of a user into a ZIP file of JSON and the original documents."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--output", type=Path, metavar="FILE.zip", help="where to (default: USERNAME.zip here)")
        parser.add_argument("--force", action="store_true", help="replace a file that is there")

    def handle(self, *, username: str, output: Path | None, force: bool, **options: Any) -> None:
        user = user_named(username)
        path = output or Path(f"{username}.zip")
        if path.exists() and not force:
            raise CommandError(f"{path} is there already. Give another --output, or --force to replace it.")
        total = privacy.holdings(user).total
        try:
            with self.bar(total=total, unit=" rows") as bar:
                done = privacy.export(user, path, progress=bar.update)
        except OSError as exc:
            raise CommandError(f"{path} cannot be written: {exc.strerror or exc}.") from exc
        self.say(
            f"{path}: {done.conversations:,} conversations, {done.documents:,} documents, {done.calls:,} ledger rows."
        )
        self.print_json({"path": path} | asdict(done))
        if done.missing:
            raise CommandError(f"The stored file is missing of: {', '.join(done.missing)}. All else was exported.")
