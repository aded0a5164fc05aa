"""`manage.py seed`: a demo to try everything with, and as much sample data as wanted."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from botgpt.accounts.models import User
from botgpt.operations.demo import ADMIN_LOGIN, USERNAME, accounts, dialogues, library
from botgpt.operations.demo.calls import fill_calls
from botgpt.operations.demo.volume import SAMPLE, Volume, fill
from documents import terminal
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


class Command(terminal.Command):
    """Fills the database."""

    epilog = EPILOG

    help = (
        "Set up the demo: a user, a login for the admin, an API key, four documents, three conversations "
        "answered without a language model. Optionally add large amounts of sample data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
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
        demo = self._demo(admin_password=password)
        volume = Volume(users, conversations, messages).whole()
        if users or volume.messages:
            self._volume(volume)
        if calls:
            self._calls(calls)
        self.print_json({"demo": demo, "added": asdict(volume) | {"calls": calls}})

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

    def _demo(self, *, admin_password: str | None) -> dict[str, Any]:
        made: dict[str, Any] = {}
        user, new = accounts.ensure_user()
        if new:
            made["user"] = {"id": user.pk, "username": user.username}
        if admin_password is not None:
            accounts.create_admin(admin_password)
            is_published = admin_password == ADMIN_LOGIN.password
            made["admin"] = {"username": ADMIN_LOGIN.username, "password_is_published": is_published}
        if token := accounts.ensure_api_key(user):
            made["api_key"] = token
        try:
            documents, added = library.ensure_documents(user)
        except library.DemoDocumentFailed as exc:
            raise CommandError(f"A document of the demo cannot be read. {exc}") from exc
        if added:
            made["documents"] = added
        if held := dialogues.ensure_dialogues(user, documents):
            made["conversations"] = held
        self._say_made(made)
        return made

    def _say_made(self, made: dict[str, Any]) -> None:
        self.say("Made:" if made else "The demo is there already; nothing was changed.")
        if user := made.get("user"):
            self.say(f"  the user {user['username']} (id {user['id']})")
        if admin := made.get("admin"):
            shown = ADMIN_LOGIN.password if admin["password_is_published"] else "the password you gave"
            self.say(f"  the admin login {ADMIN_LOGIN.username} / {shown}")
        if token := made.get("api_key"):
            self.say(f"  an API key of {USERNAME}, shown only now: {token}")
        if documents := made.get("documents"):
            self.say(f"  {documents} documents")
        if conversations := made.get("conversations"):
            self.say(f"  {conversations} conversations, answered without a language model")

    def _volume(self, volume: Volume) -> None:
        owner, _ = accounts.ensure_user()
        with self.bar(total=volume.messages, unit=" messages") as bar:
            fill(volume, owner=owner, progress=bar.update)
        self.say(f"Added {volume.users:,} users, {volume.conversations:,} conversations, {volume.messages:,} messages.")

    def _calls(self, count: int) -> None:
        samples = User.objects.filter(username__startswith=SAMPLE).order_by("-pk")[:MOST_CALLERS]
        callers = list(samples) or [accounts.ensure_user()[0]]
        with self.bar(total=count, unit=" calls") as bar:
            fill_calls(count, users=callers, progress=bar.update, seed=LLMCall.objects.count())
            rollup.catch_up(least=1)
        self.say(f"Added {count:,} calls of {len(callers):,} users to the ledger.")
