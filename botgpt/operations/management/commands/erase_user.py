"""`manage.py erase_user`: a user goes, with everything they wrote and uploaded."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from botgpt.operations import privacy
from documents import terminal
from documents.privacy import FilesLeft
from documents.terminal import user_named

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

EPILOG = """\
Conversations, messages, documents with their chunks, vectors, indexes and files, API keys, sessions, budgets and
the account itself are deleted. The ledger keeps the figures of each call, without user, conversation, request id
and error text. It cannot be undone; it may be stopped, and the next run goes on.

examples:
  manage.py erase_user alice --dry-run
  manage.py export_user alice && manage.py erase_user alice
  manage.py erase_user alice --yes
"""


class Command(terminal.Command):
    """Erases a user."""

    epilog = EPILOG

    help = "Delete a user with everything they wrote and uploaded; the ledger stays, without identity."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, username: str, dry_run: bool, yes: bool, **options: Any) -> None:
        user = user_named(username)
        held = privacy.holdings(user)
        figures = (
            f"{held.conversations:,} conversations, {held.documents:,} documents and {held.api_keys:,} API keys of "
            f"{username}; {held.calls:,} ledger rows"
        )
        result = {"username": username, "deleted": not dry_run} | asdict(held)
        if dry_run:
            self.say(f"Would delete {figures} would lose their identity. Nothing was changed.")
            self.print_json(result)
            return
        if not yes:
            self._confirm(username, figures)
        try:
            with self.bar(total=held.total, unit=" rows") as bar:
                privacy.erase(user, progress=bar.update)
        except FilesLeft as exc:
            raise CommandError(f"{username} is erased, but not every file: {exc}") from exc
        self.say(f"Deleted {figures} lost their identity.")
        self.print_json(result)

    def _confirm(self, username: str, figures: str) -> None:
        self.note(f"This deletes {figures} lose their identity. It cannot be undone.")
        self.stderr.write("Type the username to go on: ", str, ending="")
        self.stderr.flush()
        try:
            answer = input("")
        except EOFError:
            answer = ""
        if answer.strip() != username:
            raise CommandError("Nothing was changed. In scripts, give --yes.")
