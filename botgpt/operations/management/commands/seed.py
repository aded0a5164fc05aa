"""`manage.py seed`: a demo to try everything with, and as much sample data as wanted."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from botgpt.accounts.models import User
from botgpt.operations.demo import ADMIN_LOGIN, accounts, dialogues, library
from botgpt.operations.demo.calls import fill_calls
from botgpt.operations.demo.volume import SAMPLE, Volume, fill
from llm import rollup
from llm.models import LLMCall

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

EPILOG = f"""\
The demo is made once: what is there is left as it is. Sample data is added by every run.

examples:
  manage.py seed
  manage.py seed --users 1000 --conversations 20000 --messages 200000
  manage.py seed --conversations 1 --messages 20000     one long conversation of the demo user
  manage.py seed --users 20 --messages 2000 --calls 100_000
                                                        a year of the ledger, for the dashboard
  ADMIN_PASSWORD=… manage.py seed                       without DEBUG, where the admin login
                                                        {ADMIN_LOGIN.username} / {ADMIN_LOGIN.password} is refused
"""

MOST_CALLERS = 1_000


def amount(text: str) -> int:
    """A number of rows; 100_000 is welcome."""
    if not text.replace("_", "").isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a number of rows")
    return int(text)


class Command(BaseCommand):
    """Fills the database."""

    help = (
        "Set up the demo: a user, a login for the admin, an API key, four documents, three conversations "
        "answered without a language model. Optionally add large amounts of sample data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EPILOG
        parser.add_argument("--users", type=amount, default=0, metavar="N", help="add so many sample users")
        parser.add_argument(
            "--conversations",
            type=amount,
            default=0,
            metavar="N",
            help="add so many conversations in all, spread over the new users, or else the demo user's",
        )
        parser.add_argument(
            "--messages", type=amount, default=0, metavar="N", help="add so many messages in all, two a turn"
        )
        parser.add_argument(
            "--calls",
            type=amount,
            default=0,
            metavar="N",
            help="add so many calls to the ledger, spread over the last year and the sample users, or the demo user",
        )
        parser.add_argument("--admin-password", metavar="PASSWORD", help="of the new admin login; or ADMIN_PASSWORD")
        parser.add_argument("--force", action="store_true", help="accept a weak or published admin password")

    def handle(self, *, users: int, conversations: int, messages: int, calls: int, **options: Any) -> None:
        password = self._admin_password(options["admin_password"], force=options["force"])
        self._demo(admin_password=password)
        volume = Volume(users, conversations, messages).whole()
        if users or volume.messages:
            self._volume(volume)
        if calls:
            self._calls(calls)

    def _admin_password(self, given: str | None, *, force: bool) -> str | None:
        """The password for a new admin login; None when there is one already.

        Raises:
            CommandError: it would open the admin to whoever reads our documentation, or guesses.
        """
        if accounts.admin_exists():
            return None
        password = given or os.environ.get("ADMIN_PASSWORD")
        if not password:
            if settings.DEBUG or force:
                return ADMIN_LOGIN.password
            raise CommandError(
                "DEBUG is off, and the demo's admin password is published. Give another with --admin-password or "
                "ADMIN_PASSWORD, or --force to use it all the same."
            )
        try:
            validate_password(password, User(username=ADMIN_LOGIN.username))
        except ValidationError as exc:
            if not force:
                raise CommandError(f"The admin password is weak. {' '.join(exc.messages)}") from exc
        return password

    def _demo(self, *, admin_password: str | None) -> None:
        made = []
        user, new = accounts.ensure_user()
        if new:
            made.append(f"the user {user.username} (id {user.pk})")
        if admin_password is not None:
            accounts.create_admin(admin_password)
            shown = admin_password if admin_password == ADMIN_LOGIN.password else "the password you gave"
            made.append(f"the admin login {ADMIN_LOGIN.username} / {shown}")
        if token := accounts.ensure_api_key(user):
            made.append(f"an API key of {user.username}, shown only now: {self.style.SUCCESS(token)}")
        try:
            documents, added = library.ensure_documents(user)
        except library.DemoDocumentFailed as exc:
            raise CommandError(f"A document of the demo cannot be read. {exc}") from exc
        if added:
            made.append(f"{added} documents")
        if held := dialogues.ensure_dialogues(user, documents):
            made.append(f"{held} conversations, answered without a language model")
        if not made:
            self.stdout.write("The demo is there already; nothing was changed.")
            return
        self.stdout.write("Made:")
        for line in made:
            self.stdout.write(f"  {line}")

    def _volume(self, volume: Volume) -> None:
        owner, _ = accounts.ensure_user()
        with tqdm(total=volume.messages, unit=" messages", disable=None, leave=False) as bar:
            fill(volume, owner=owner, progress=bar.update)
        self.stdout.write(
            f"Added {volume.users:,} users, {volume.conversations:,} conversations, {volume.messages:,} messages."
        )

    def _calls(self, count: int) -> None:
        samples = User.objects.filter(username__startswith=SAMPLE).order_by("-pk")[:MOST_CALLERS]
        callers = list(samples) or [accounts.ensure_user()[0]]
        with tqdm(total=count, unit=" calls", disable=None, leave=False) as bar:
            fill_calls(count, users=callers, progress=bar.update, seed=LLMCall.objects.count())
            rollup.catch_up(least=1)
        self.stdout.write(f"Added {count:,} calls of {len(callers):,} users to the ledger.")
