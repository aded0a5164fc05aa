"""`manage.py roll_up`: bring the sums of the ledger up to date, make them anew, or compare them with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from documents import terminal
from llm import rollup
from llm.sums import RollUp

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

EPILOG = """\
The dashboard and the report keep the sums up to date by themselves. It is worth running once for a ledger that is
large already, and after somebody changed rows of the ledger in the database by hand. The service may run meanwhile;
figures are right all the time, and come slowly while the sums are made anew.

examples:
  manage.py roll_up
  manage.py roll_up --check
  manage.py roll_up --rebuild
"""
DAYS_NAMED = 10


class Command(terminal.Command):
    """Sees to the sums of the ledger."""

    epilog = EPILOG

    help = "Add up the ledger by day, model and user, for the dashboard and the report."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--rebuild", action="store_true", help="drop the sums and make them anew")
        what.add_argument("--check", action="store_true", help="compare them with the ledger; reads all of it")

    def handle(self, *, rebuild: bool, check: bool, **options: Any) -> None:
        if check:
            self._check()
            return
        if rebuild:
            rollup.forget_sums()
        added: list[int] = []
        with self.bar(total=rollup.waiting(RollUp.objects.first()), unit=" calls") as bar:

            def count(rows: int) -> None:
                added.append(rows)
                bar.update(rows)

            rollup.catch_up(least=1, progress=count)
        left = rollup.waiting(RollUp.objects.first())
        self.say(f"Added {sum(added):,} calls to the sums; {left:,} are too new and are added up when read.")
        self.print_json({"added": sum(added), "left": left})

    def _check(self) -> None:
        if not (days := rollup.differences()):
            self.say("The sums are what the ledger adds up to.", self.style.SUCCESS)
            self.print_json({"differences": []})
            return
        named = ", ".join(str(day) for day in days[:DAYS_NAMED]) + (", …" if len(days) > DAYS_NAMED else "")
        raise CommandError(f"The sums are not what the ledger adds up to: {named}. Run manage.py roll_up --rebuild.")
