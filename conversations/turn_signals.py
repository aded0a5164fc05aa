"""Tells whoever wants to know that a turn begins and ends."""

from __future__ import annotations

import time
from functools import wraps
from typing import TYPE_CHECKING

from django.dispatch import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .turns import Turn

# Both with `turn`, in the thread that generates the reply; sent with `send_robust`, so no receiver can cost a reply.
turn_started = Signal()
# Also with `seconds`. The status of `turn.reply` says how it ended.
turn_ended = Signal()


def announced(run: Callable[[Turn], Turn]) -> Callable[[Turn], Turn]:
    """Announce both ends of what runs a turn, however it ends."""

    @wraps(run)
    def announcing(turn: Turn) -> Turn:
        began = time.perf_counter()
        turn_started.send_robust(sender=None, turn=turn)
        try:
            return run(turn)
        finally:
            turn_ended.send_robust(sender=None, turn=turn, seconds=time.perf_counter() - began)

    return announcing
