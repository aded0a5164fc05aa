"""A conversation's title: the beginning of its first message."""

from __future__ import annotations

from django.utils.text import Truncator

MAX_LENGTH = 60


def title_from(message: str) -> str:
    """The first line that says something, on one line, cut at 60 characters with an ellipsis."""
    first_line = next((line for line in message.splitlines() if line.strip()), "")
    return Truncator(" ".join(first_line.split())).chars(MAX_LENGTH)
