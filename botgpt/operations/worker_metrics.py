"""A worker's numbers: its processes count into files of one folder; `/metrics` at a port of its own has the sums."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def share() -> None:
    """Make the folder; before the application, and with it its numbers, are loaded."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="botgpt-metrics-")


def serve() -> None:
    """Answer Prometheus from now on, where `WORKER_METRICS_PORT` is set."""
    from django.conf import settings

    if not settings.WORKER_METRICS_PORT:
        return
    host = os.environ.get("HOST", "127.0.0.1")
    try:
        server = make_server(host, settings.WORKER_METRICS_PORT, application, handler_class=Quiet)
    except OSError as exc:
        logger.error("The worker's metrics cannot be served at port %s: %s", settings.WORKER_METRICS_PORT, exc)  # noqa: TRY400  the reason says it all
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def leave() -> None:
    """Leave no folder behind."""
    shutil.rmtree(os.environ[FOLDER], ignore_errors=True)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """`/metrics` as the web processes have it, with the same token; nothing else is here."""
    from django.core.handlers.wsgi import WSGIRequest

    from botgpt.api.errors import not_found

    from .exposition import metrics

    _forget_dead()
    request = WSGIRequest(environ)
    response = metrics(request) if request.path_info == "/metrics" else not_found(request)
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]


def _forget_dead() -> None:
    """Drop what a process had in flight that was killed: nobody tells of its end."""
    from prometheus_client.multiprocess import mark_process_dead

    for path in Path(os.environ[FOLDER]).glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Quiet(WSGIRequestHandler):
    """Logs no line for each scrape."""

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
