"""Threads for what must go on when the request that began it is over."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from django.conf import settings

from documents.connections import release_connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

_executor: ThreadPoolExecutor | None = None


def in_background(work: Callable[..., object], *args: Any) -> Future[None]:
    """Run it soon, in this process. A process that is asked to stop waits for it.

    The threads are kept, and with them their connections to SQLite.
    """
    global _executor  # noqa: PLW0603  made by the process that uses it, since threads do not survive a fork
    if _executor is None:
        _executor = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="background")
    return _executor.submit(_run, work, *args)


def _run(work: Callable[..., object], *args: Any) -> None:
    try:
        work(*args)
    except Exception:
        logger.exception("Background work failed")
    finally:
        release_connection()


def _forget() -> None:
    global _executor  # noqa: PLW0603
    _executor = None


os.register_at_fork(after_in_child=_forget)
