"""`manage.py erase_user`: a user goes, with everything they wrote and uploaded."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from botgpt.accounts.models import User
from botgpt.operations import privacy
from documents.privacy import FilesLeft

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

EPILOG = """\
Conversations, messages, documents with their chunks, vectors, indexes and files, API keys, sessions, budgets and
the account itself are deleted. The ledger keeps the figures of each call, without user, conversation, request id
and error text. It cannot be undone; it may be stopped, and the next run goes on.

examples:
  manage.py export_user alice && manage.py erase_user alice
  manage.py erase_user alice --dry-run
  manage.py erase_user alice --yes
"""


class Command(BaseCommand):
    """Erases a user."""

    help = "Delete a user with everything they wrote and uploaded; the ledger stays, without identity."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EPILOG
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, username: str, dry_run: bool, yes: bool, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        held = privacy.holdings(user)
        figures = (
            f"{held.conversations:,} conversations, {held.documents:,} documents and {held.api_keys:,} API keys of "
            f"{username}; {held.calls:,} ledger rows"
        )
        if dry_run:
            self.stdout.write(f"Would delete {figures} would lose their identity. Nothing was changed.")
            return
        if not yes:
            self._confirm(username, figures)
        try:
            with tqdm(total=held.total, unit=" rows", disable=None, leave=False) as bar:
                privacy.erase(user, progress=bar.update)
        except FilesLeft as exc:
            raise CommandError(f"{username} is erased, but not every file: {exc}") from exc
        self.stdout.write(f"Deleted {figures} lost their identity.")

    def _confirm(self, username: str, figures: str) -> None:
        self.stdout.write(f"This deletes {figures} lose their identity. It cannot be undone.")
        try:
            answer = input("Type the username to go on: ")
        except EOFError:
            answer = ""
        if answer.strip() != username:
            raise CommandError("Nothing was changed. In scripts, give --yes.")
