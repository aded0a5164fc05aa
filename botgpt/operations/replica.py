"""Reads that may lag go to a replica, when there is one: those of the views named here, and no others."""

from __future__ import annotations

from contextvars import ContextVar
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

REPLICA = "replica"
# Whoever asks for these does not expect to see what was written a second ago.
VIEWS = ("admin:*_changelist", "conversation-export", "usage", "usage-*")
# Never users, keys and sessions: who has just logged in must be known.
APPS = {"conversations", "documents", "llm"}

_may_lag: ContextVar[bool] = ContextVar("may_lag", default=False)


class ReplicaMiddleware:
    """Lets the reads of a request lag when it is a GET of one of the views above. Only used with a replica."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _may_lag.set(False)
        try:
            return self.get_response(request)
        finally:
            _may_lag.reset(token)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Known now: which view it is."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        _may_lag.set(request.method == "GET" and any(fnmatch(name, pattern) for pattern in VIEWS))


class ReplicaRouter:
    """Everything is the primary's, but for reads that may lag."""

    def db_for_read(self, model: type[Model], **_: Any) -> str | None:
        """The replica within a request that may lag; None leaves it to Django, which takes the primary."""
        return REPLICA if _may_lag.get() and model._meta.app_label in APPS else None

    def db_for_write(self, model: type[Model], **_: Any) -> str:  # noqa: ARG002  Django's signature
        return "default"

    def allow_relation(self, *_: Any, **__: Any) -> bool:
        """Rows of both are rows of one database."""
        return True

    def allow_migrate(self, db: str, *_: Any, **__: Any) -> bool:
        """A replica gets its tables from its primary."""
        return db != REPLICA
