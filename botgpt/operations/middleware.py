"""An id for every request, in its answer, its log lines and its errors; and a line and numbers on what it did."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.utils.functional import empty
from structlog.contextvars import bound_contextvars

from documents.connections import release_connection
from documents.elsewhere import waited_seconds

from . import metrics
from .activity import watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from .activity import Activity

logger = logging.getLogger("botgpt.request")

SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,100}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
CATCH_ALL = "^(?!admin)"  # the route of what is nowhere, see botgpt/urls.py
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


class RequestIdMiddleware:
    """Takes `X-Request-ID` over when it is sane, else makes one; logs a line for each request, without its text."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-ID", "")
        request_id = sent if SANE_ID.fullmatch(sent) else uuid.uuid4().hex
        began = time.perf_counter() - waited_seconds()
        with bound_contextvars(request_id=request_id), watched() as activity:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            _record(request, status=response.status_code, seconds=time.perf_counter() - began, activity=activity)
            for alias in connections if activity.queries else ():
                release_connection(alias)  # sending the answer may take a slow client long
        return response


def _record(request: HttpRequest, *, status: int, seconds: float, activity: Activity) -> None:
    """Log and count a request whose answer begins; what a stream does later is in the lines of its calls."""
    route = _route(request)
    method = request.method if request.method in METHODS else "other"
    metrics.REQUEST_SECONDS.labels(method, route, status).observe(seconds)
    metrics.DB_QUERIES.labels(route).observe(activity.queries)
    logger.log(
        _level(status),
        "request",
        extra={
            "method": request.method,
            "route": route,
            "path": request.path,
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "user_id": _user_id(request),
            **activity.fields(),
        },
    )


def _route(request: HttpRequest) -> str:
    """The pattern of the address, which is one of few; the address itself could be anything."""
    route = request.resolver_match.route if request.resolver_match else CATCH_ALL
    return "unmatched" if route == CATCH_ALL else route


def _level(status: int) -> int:
    if status >= SERVER_ERROR:
        return logging.ERROR
    return logging.WARNING if status == TOO_MANY_REQUESTS else logging.INFO


def _user_id(request: HttpRequest) -> Any:
    """Who asked, as far as somebody wanted to know: finding out now would be a query."""
    user = getattr(request, "user", None)
    return None if getattr(user, "_wrapped", user) is empty else getattr(user, "pk", None)
