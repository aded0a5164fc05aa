"""`manage.py create_api_key`: a key for a user, its token printed once."""

from __future__ import annotations

import datetime as dt
import re
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from botgpt.accounts.models import ApiKey, AuditEvent, User

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


class Command(BaseCommand):
    """Issues an API key."""

    help = "Create an API key for a user and print its token, which is stored nowhere and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EPILOG
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
        owner = User.objects.filter(username=user).first()
        if owner is None:
            raise CommandError(f"There is no user {user!r}. {self._known_users()}")
        if not owner.is_active:
            raise CommandError(f"The user {user!r} is not active, so a key would not work.")
        key, token = ApiKey.objects.issue(
            user=owner,
            name=name[:100],
            scopes=list(dict.fromkeys(scopes or ())),
            expires_at=timezone.now() + expires if expires else None,
        )
        AuditEvent.objects.record(AuditEvent.Action.ADD, key, detail=f"“{key.name}” of {owner}, {key.scope_list}")
        if quiet:
            self.stdout.write(token)
            return
        until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
        self.stdout.write(f"API key “{key.name}” of {owner.username}, {' and '.join(key.scopes)}, valid {until}:\n")
        self.stdout.write(self.style.SUCCESS(f"  {token}\n"))
        self.stdout.write("Copy it now: it is stored nowhere and cannot be shown again. Send it with each call as")
        self.stdout.write(f"  Authorization: Bearer {token}")

    @staticmethod
    def _known_users() -> str:
        names = list(User.objects.order_by("id").values_list("username", flat=True)[:5])
        if not names:
            return "There are no users yet: run `manage.py seed` or `manage.py createsuperuser` first."
        return f"Users are, among others: {', '.join(names)}."
