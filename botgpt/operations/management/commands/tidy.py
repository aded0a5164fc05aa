"""`manage.py tidy`: all that should be removed or taken up again from time to time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botgpt.operations.tidying import WORK, tidy


class Command(BaseCommand):
    """Tidies up, for cron; where workers run, Celery beat has it done."""

    help = (
        "Remove expired sessions, tokens, locks and idempotency keys, end replies whose process is gone, have "
        "forgotten documents read, and delete conversations older than PURGE_AFTER_DAYS. Safe to run at any time."
    )

    def handle(self, **options: Any) -> None:
        done = tidy()
        for name, count in done.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {'done' if count is None else count}")
        if broken := WORK.keys() - done.keys():
            raise CommandError(f"Broken off, see the log: {', '.join(sorted(broken))}")
