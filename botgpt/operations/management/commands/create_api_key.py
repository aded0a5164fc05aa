"""`manage.py create_api_key`: a key for a user, its token printed once."""

from __future__ import annotations

import datetime as dt
import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError
from django.utils import timezone

from botgpt.accounts.models import ApiKey, AuditEvent
from documents import terminal
from documents.terminal import user_named

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EPILOG = """\
examples:
  manage.py create_api_key alice
  manage.py create_api_key alice --name "CI" --scope read --expires 30d
  TOKEN=$(manage.py create_api_key alice --quiet)
"""


def duration(text: str) -> dt.timedelta:
    """`90m`, `12h`, `30d` or `4w` as a time span; argparse reports anything else."""
    match = re.fullmatch(r"(\d{1,4})([mhdw])", text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ArgumentTypeError(f"{text!r} is not a time span such as 12h, 30d or 4w")
    return dt.timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(terminal.Command):
    """Issues an API key."""

    epilog = EPILOG

    help = "Create an API key for a user and print its token, which is stored nowhere and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="the username")
        parser.add_argument("--name", default="command line", help="what the key is for (default: %(default)s)")
        parser.add_argument(
            "--scope",
            dest="scopes",
            action="append",
            choices=ApiKey.Scope.values,
            help="what it allows; may be given several times (default: all)",
        )
        parser.add_argument("--expires", type=duration, metavar="SPAN", help="e.g. 12h, 30d, 4w (default: never)")
        parser.add_argument("--quiet", action="store_true", help="print the token and nothing else")

    def handle(
        self,
        *,
        user: str,
        name: str,
        scopes: list[str] | None,
        expires: dt.timedelta | None,
        quiet: bool,
        **options: Any,
    ) -> None:
        owner = user_named(user)
        if not owner.is_active:
            raise CommandError(f"The user {user!r} is not active, so a key would not work.")
        key, token = ApiKey.objects.issue(
            user=owner,
            name=name[:100],
            scopes=list(dict.fromkeys(scopes or ())),
            expires_at=timezone.now() + expires if expires else None,
        )
        AuditEvent.objects.record(AuditEvent.Action.ADD, key, detail=f"“{key.name}” of {owner}, {key.scope_list}")
        self.print_json(
            {"id": key.pk, "user": owner.username, "name": key.name, "scopes": key.scopes}
            | {"expires_at": key.expires_at, "token": token}
        )
        if quiet:
            self.say(token)
            return
        until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
        self.say(f"API key “{key.name}” of {owner.username}, {' and '.join(key.scopes)}, valid {until}:\n")
        self.say(f"  {token}\n", self.style.SUCCESS)
        self.say("Copy it now: it is stored nowhere and cannot be shown again. Send it with each call as")
        self.say(f"  Authorization: Bearer {token}")
