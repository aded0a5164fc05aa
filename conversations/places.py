"""How many requests of this process may wait for a reply at once: threads must remain for those that do not wait."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from django.conf import settings

from .turn_signals import turn_refused

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_SECONDS: Final = 2

_places = threading.BoundedSemaphore(settings.MAX_TURNS_IN_FLIGHT)


class NoPlace(Exception):
    """As many as may wait do so already."""


@contextmanager
def place() -> Iterator[None]:
    """Be one of those that wait, within it.

    Raises:
        NoPlace: there is room for no more.
    """
    if not _places.acquire(blocking=False):
        turn_refused.send_robust(sender=None)
        raise NoPlace
    try:
        yield
    finally:
        _places.release()
