"""What a developer reads when the service has started: where everything is, and what to paste first."""

from __future__ import annotations

import json
import sys

from django.conf import settings
from django.db import DatabaseError, connection

from llm.providers import registry

from .demo import ADMIN_LOGIN, QUESTION, demo_documents

OFFLINE = """\
  No language model is configured: replies are quoted from documents and say so.
  Set GROQ_API_KEY in .env and start again to have one.
"""


def banner(url: str) -> str:
    """The text, for a service that answers at `url`."""
    lines = [
        "",
        f"BOT GPT is running at {url}   (Ctrl-C ends it)",
        "",
        f"  Chat       {url}/",
        f"  API        {url}/api/v1",
        f"  API docs   {url}/api/v1/docs",
        f"  Admin      {url}/admin/" + _login(),
        f"  Models     {', '.join(registry.configured_models())}",
        "",
    ]
    if registry.is_offline():
        lines.append(OFFLINE)
    if settings.DEBUG and (ids := demo_documents()):
        body = json.dumps({"first_message": QUESTION, "mode": "rag", "document_ids": ids})
        lines += [
            "  Ask the demo's documents something:",
            "",
            f"curl -s {url}/api/v1/conversations -H 'Content-Type: application/json' \\",
            f"  -d '{body}'",
            "",
        ]
    return "\n".join(lines)


def print_banner(url: str) -> None:
    """Print it; a database that is away keeps nobody from starting."""
    try:
        text = banner(url)
    except DatabaseError as exc:
        text = f"\nBOT GPT is running at {url}, but its database does not answer: {exc}\n"
    finally:
        # Workers are forked after this, and two that talk over one connection read each other's answers.
        connection.close()
        if close_pool := getattr(connection, "close_pool", None):
            close_pool()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _login() -> str:
    return f"   (log in as {ADMIN_LOGIN.username} / {ADMIN_LOGIN.password})" if settings.DEBUG else ""
