"""Tells whoever wants to know that a turn begins, ends, or is not let in."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.dispatch import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .opening import Turn

# All are sent with `send_robust`, so no receiver can cost a reply; these with `turn`, in the thread that generates it.
turn_started = Signal()
# Also with `seconds`; None when another worker has the reply by now. Else the status of `turn.reply` says how it ended.
turn_ended = Signal()
# Nothing else: a request was refused because as many wait as may.
turn_refused = Signal()


@contextmanager
def announced(turn: Turn) -> Iterator[None]:
    """Announce both ends of a turn, however it ends."""
    began, job = time.perf_counter(), turn.reply.job
    turn_started.send_robust(sender=None, turn=turn)
    try:
        yield
    finally:
        seconds = time.perf_counter() - began if turn.reply.job == job else None
        turn_ended.send_robust(sender=None, turn=turn, seconds=seconds)
