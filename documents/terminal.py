"""What our commands share: examples in the help, JSON for machines, bars and colour on a terminal, plain errors."""

from __future__ import annotations

import os
import sys
from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter
from django.db import InterfaceError, OperationalError, ProgrammingError
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.core.management.base import CommandParser, OutputWrapper

    from botgpt.accounts.models import User

Item = TypeVar("Item")
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
NAMED = 5  # users that are listed where one is not found


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Our own options before those of every command, and the examples as they are written."""


class Command(BaseCommand):
    """A command that a person at a terminal and a program behind a pipe both like to use.

    Results go to stdout; what is said beside them, progress and errors go to stderr. `NO_COLOR`, `--no-color` and
    `--force-color` decide about colour where the stream does not.

    Attributes:
        epilog: below the help, with examples.
        json_help: what `--json` prints; empty for a command without a result.
    """

    epilog = ""
    json_help = "print the result as JSON"

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(
            prog_name, subcommand, formatter_class=HelpFormatter, epilog=self.epilog, **kwargs
        )
        if self.json_help:
            parser.add_argument("--json", action="store_true", dest="as_json", help=self.json_help)
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.as_json: bool = options.get("as_json", False)
        self.force_color: bool = options["force_color"]
        if os.environ.get("NO_COLOR") and not self.force_color:
            options["no_color"] = True
        try:
            return super().execute(*args, **options)
        except KeyboardInterrupt as exc:
            raise CommandError("Stopped.", returncode=INTERRUPTED) from exc
        except (OperationalError, ProgrammingError, InterfaceError) as exc:
            reason = str(exc).strip().partition("\n")[0]
            raise CommandError(
                f"The database cannot be used: {reason}. DATABASE_URL says which it is; `manage.py migrate` makes its "
                "tables."
            ) from exc

    def say(self, text: str = "", style: Callable[[str], str] | None = None) -> None:
        """A line of the result, for people; nothing of it is printed beside JSON."""
        if not self.as_json:
            self._write(self.stdout, text, style)

    def note(self, text: str, style: Callable[[str], str] | None = None) -> None:
        """A line beside the result, so that a pipe gets the result alone."""
        self._write(self.stderr, text, style)

    def print_json(self, value: Any, *, indent: bool = True) -> None:
        """The result for programs, if `--json` asks for it: one value, or one on each line."""
        if self.as_json:
            options = orjson.OPT_UTC_Z | (orjson.OPT_INDENT_2 if indent else 0)
            self.stdout.write(orjson.dumps(value, default=str, option=options).decode())
            self.stdout.flush()

    def each(self, items: Iterable[Item], **options: Any) -> Iterable[Item]:
        """The items, with a bar on stderr while the command works through them and if that is a terminal."""
        return tqdm(items, **self._bar, **options)

    def bar(self, *, total: int, unit: str) -> tqdm[Any]:
        """Such a bar for what is done in steps; tell it with `update`."""
        return tqdm(total=total, unit=unit, **self._bar)

    @property
    def _bar(self) -> dict[str, Any]:
        return {"file": sys.stderr, "disable": None, "leave": False, "dynamic_ncols": True}

    def _write(self, stream: OutputWrapper, text: str, style: Callable[[str], str] | None) -> None:
        is_coloured = style is not None and (self.force_color or stream.isatty())
        stream.write(text, style if is_coloured else str)


def user_named(name: str) -> User:
    """The user.

    Raises:
        CommandError: there is none of this name; it says which there are.
    """
    users = get_user_model().objects
    user: User | None = users.filter(username=name).first()
    if user is not None:
        return user
    names = list(users.order_by("id").values_list("username", flat=True)[:NAMED])
    if not names:
        raise CommandError(
            "There are no users yet: run `manage.py seed` for the demo's, or `manage.py createsuperuser` first."
        )
    raise CommandError(f"There is no user {name!r}. Users are, among others: {', '.join(names)}.")
