"""`manage.py purge`: conversations that nobody went on with for a while are deleted."""

from __future__ import annotations

import datetime as dt
import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from conversations.privacy import PURGE, delete, inactive_since
from documents import terminal
from documents.queue import hand_over

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

UNITS = {"h": "hours", "d": "days", "w": "weeks"}
EPILOG = """\
Their messages go with them; documents and the ledger stay. It works in batches and may be stopped at any time.

examples:
  manage.py purge --older-than 90d --dry-run
  manage.py purge --older-than 52w
"""


def age(text: str) -> dt.timedelta:
    """`12h`, `90d` or `52w` as a time span; argparse reports anything else."""
    match = re.fullmatch(r"(\d{1,4})([hdw])", text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ArgumentTypeError(f"{text!r} is not a time span such as 12h, 90d or 52w")
    return dt.timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(terminal.Command):
    """Deletes old conversations."""

    epilog = EPILOG

    help = "Delete the conversations of all users in which nothing was said for so long."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=age, required=True, metavar="SPAN", help="e.g. 12h, 90d, 52w")
        parser.add_argument("--background", action="store_true", help="leave it to a worker, where there is one")
        parser.add_argument("--dry-run", action="store_true", help="say how many would go, and change nothing")

    def handle(self, *, older_than: dt.timedelta, background: bool, dry_run: bool, **options: Any) -> None:
        moment = timezone.now() - older_than
        old = inactive_since(moment)
        total = old.count()
        since = f"without activity since {moment:%Y-%m-%d %H:%M} UTC"
        result = {"older_than": moment, "found": total}
        if dry_run:
            self.say(f"Would delete {total:,} conversations {since}. Nothing was changed.")
            self.print_json(result | {"deleted": 0})
            return
        if background and hand_over(PURGE, moment.isoformat()):
            self.say(f"A worker deletes {total:,} conversations {since}.")
            self.print_json(result | {"deleted": None})
            return
        done = 0
        with self.bar(total=total, unit=" conversations") as bar:
            for ids in delete(old):
                done += len(ids)
                bar.update(len(ids))
        self.say(f"Deleted {done:,} conversations {since}.")
        self.print_json(result | {"deleted": done})
