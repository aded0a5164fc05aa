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

_lock = threading.Lock()
_taken = 0


class NoPlace(Exception):
    """As many as may wait do so already."""


@contextmanager
def place() -> Iterator[None]:
    """Be one of those that wait, within it.

    Raises:
        NoPlace: there is room for no more.
    """
    global _taken  # noqa: PLW0603  under the lock
    with _lock:
        is_full = _taken >= settings.MAX_TURNS_IN_FLIGHT
        _taken += not is_full
    if is_full:
        turn_refused.send_robust(sender=None)
        raise NoPlace
    try:
        yield
    finally:
        with _lock:
            _taken -= 1
