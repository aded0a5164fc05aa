"""`manage.py serve`: one command from an empty folder to a running service."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from documents import terminal

if TYPE_CHECKING:
    from argparse import ArgumentParser


EPILOG = """\
With DEBUG an empty database gets the demo; without it, the static files are collected. gunicorn.conf.py has its
settings, docs/configuration.md the variables.

examples:
  manage.py serve
  manage.py serve --host 0.0.0.0 --port 8001
"""


class Command(terminal.Command):
    """Migrates, seeds an empty database (DEBUG) or collects static files (production), and becomes gunicorn."""

    help = "Migrate, seed an empty development database, and serve with gunicorn until Ctrl-C."
    epilog = EPILOG
    json_help = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to serve on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="(default: %(default)s)")

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        self._require_free_port(host, port)
        call_command("migrate", interactive=False, verbosity=0)
        if settings.DEBUG and not get_user_model().objects.exists():
            self.say("Seeding the demo ...")
            call_command("seed", stdout=self.stdout)
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        connections.close_all()
        environment = os.environ | {"HOST": host, "PORT": str(port), "BOTGPT_BANNER": "1"}
        arguments = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "botgpt.wsgi"]
        os.chdir(settings.BASE_DIR)
        os.execve(sys.executable, arguments, environment)  # noqa: S606  our own interpreter, no shell

    @staticmethod
    def _require_free_port(host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as exc:
                raise CommandError(
                    f"Port {port} on {host} cannot be used: {exc.strerror}. "
                    f"Stop what uses it, or choose another: make run PORT={port + 1}"
                ) from exc
