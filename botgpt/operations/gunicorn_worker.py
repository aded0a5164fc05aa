"""gunicorn's threaded worker, which shares connections out evenly and lets one request compute at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import _DEFER, DEFAULT_WORKER_DATA_TIMEOUT, ThreadWorker

from documents.elsewhere import elsewhere

from .run_queue import PATIENCE_SECONDS, RunQueue

if TYPE_CHECKING:
    import socket

    from gunicorn.workers.gthread import TConn

HESITATION_SECONDS = 20e-6  # for each connection it has; waking up takes a process some 50 µs
MOST = 150  # connections that it hesitates for: nothing else is looked at meanwhile


class EvenWorker(ThreadWorker):
    """Every idle worker wakes for a new connection; the more of them one has, the later it reaches for the next.

    Clients and proxies keep connections for long, so one that was quicker at the start would have most of the work.
    """

    tpool: RunQueue

    def get_thread_pool(self) -> RunQueue:
        """gunicorn's own begins with every request at once."""
        return RunQueue(self.cfg.threads)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Look after connections, and often enough after the requests that have not begun."""
        super().wait_for_and_dispatch_events(min(timeout, PATIENCE_SECONDS) if self.tpool.has_new else timeout)
        self.tpool.relieve()

    def handle(self, conn: TConn) -> object:
        """A connection on which nothing has come yet waits without a place."""
        if not (conn.initialized or conn.data_ready or conn.wait_for_data(0)):
            with elsewhere():
                has_come = conn.wait_for_data(DEFAULT_WORKER_DATA_TIMEOUT)
            if not has_come:
                return _DEFER
        return super().handle(conn)

    def accept(self, listener: socket.socket) -> None:
        """Take the connection, if it is still there after a while."""
        if self.cfg.workers > 1:  # gunicorn counts some that break twice, so there may be fewer than none
            time.sleep(min(max(self.nr_conns, 0), MOST) * HESITATION_SECONDS)
        super().accept(listener)
