"""`manage.py export_user`: everything that is kept of a user, as a ZIP file."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from botgpt.accounts.models import User
from botgpt.operations import privacy

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


class Command(BaseCommand):
    """Hands a user's data over."""

    help = "Write everything that is kept of a user into a ZIP file of JSON and the original documents."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EPILOG
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--output", type=Path, metavar="FILE.zip", help="where to (default: USERNAME.zip here)")
        parser.add_argument("--force", action="store_true", help="replace a file that is there")

    def handle(self, *, username: str, output: Path | None, force: bool, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        path = output or Path(f"{username}.zip")
        if path.exists() and not force:
            raise CommandError(f"{path} is there already. Give another --output, or --force to replace it.")
        total = privacy.holdings(user).total
        try:
            with tqdm(total=total, unit=" rows", disable=None, leave=False) as bar:
                done = privacy.export(user, path, progress=bar.update)
        except OSError as exc:
            raise CommandError(f"{path} cannot be written: {exc.strerror or exc}.") from exc
        self.stdout.write(
            f"{path}: {done.conversations:,} conversations, {done.documents:,} documents, {done.calls:,} ledger rows."
        )
        if done.missing:
            raise CommandError(f"The stored file is missing of: {', '.join(done.missing)}. All else was exported.")
