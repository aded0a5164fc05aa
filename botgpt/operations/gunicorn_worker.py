"""gunicorn's threaded worker, which leaves new connections to the worker that has fewest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    import socket

HESITATION_SECONDS = 20e-6  # for each connection it has; waking up takes a process some 50 µs
MOST = 150  # connections that it hesitates for: nothing else is looked at meanwhile


class EvenWorker(ThreadWorker):
    """Every idle worker wakes for a new connection; the more of them one has, the later it reaches for the next.

    Clients and proxies keep connections for long, so one that was quicker at the start would have most of the work.
    """

    def accept(self, listener: socket.socket) -> None:
        """Take the connection, if it is still there after a while."""
        if self.cfg.workers > 1:  # gunicorn counts some that break twice, so there may be fewer than none
            time.sleep(min(max(self.nr_conns, 0), MOST) * HESITATION_SECONDS)
        super().accept(listener)
