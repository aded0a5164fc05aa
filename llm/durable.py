"""Database writes that must not be lost to a passing fault, because what they record has been paid for."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from django.db import InterfaceError, OperationalError, connection

from documents.connections import release_connection

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

WAITS = (0.1, 0.5, 1.0, 2.0, 4.0)  # seconds; a database that restarts is back within them
GIVE_UP_SECONDS = 15.0  # a write may itself wait for a lock; no further try begins after this


def durably(write: Callable[[], Result]) -> Result:
    """Run a short write; after a lost connection, a deadlock or a lock, run it again on a fresh connection.

    `write` must be safe to repeat. Inside a transaction the error goes to whoever opened it: only they can repeat it.

    Raises:
        OperationalError, InterfaceError: the fault outlasted all tries.
    """
    began = time.monotonic()
    for wait in WAITS:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() - began > GIVE_UP_SECONDS:
                raise
            logger.warning("A database write failed; trying again in %s s", wait, exc_info=True)
            release_connection()
            time.sleep(wait)
    return write()
