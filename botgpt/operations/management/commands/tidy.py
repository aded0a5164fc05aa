"""`manage.py tidy`: all that should be removed or taken up again from time to time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from botgpt.operations.tidying import WORK, tidy
from documents import terminal

EPILOG = """\
examples:
  manage.py tidy
  0 4 * * * cd /srv/botgpt && .venv/bin/python manage.py tidy --json      in a crontab
"""


class Command(terminal.Command):
    """Tidies up, for cron; where workers run, Celery beat has it done."""

    epilog = EPILOG

    help = (
        "Remove expired sessions, tokens, locks and idempotency keys, end replies whose process is gone, have "
        "forgotten documents read, and delete conversations older than PURGE_AFTER_DAYS. Safe to run at any time."
    )

    def handle(self, **options: Any) -> None:
        done = tidy()
        for name, count in done.items():
            self.say(f"{name.replace('_', ' ')}: {'done' if count is None else count}")
        self.print_json(done)
        if broken := WORK.keys() - done.keys():
            raise CommandError(f"Broken off, see the log: {', '.join(sorted(broken))}")
