"""System checks on who may call; run by `manage.py check --deploy`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def anonymous_callers_are_refused(**_: Any) -> list[CheckMessage]:
    """accounts.E001: a deployment must not let callers without credentials in."""
    if not settings.ANONYMOUS_USER:
        return []
    return [
        Error(
            f"Calls without credentials act as the user {settings.ANONYMOUS_USER!r}.",
            hint="Unset ANONYMOUS_USER.",
            id="accounts.E001",
        )
    ]
