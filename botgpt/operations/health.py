"""Whether the process is up, and whether it can do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from llm.providers.registry import configured_models, is_offline

if TYPE_CHECKING:
    from collections.abc import Callable


@require_safe
def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 while the process answers; for restarts."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 when turns can be taken, 503 when not; for load balancers.

    A missing model key is told but is not a failure: the offline provider answers.
    """
    checks = {"database": _check(_database), "migrations": _check(_migrations), "cache": _check(_cache)}
    is_ready = all(value == "ok" for name, value in checks.items() if name != "cache")
    body: dict[str, Any] = {
        "status": "ready" if is_ready else "not ready",
        "checks": checks,
        "llm": {
            "mode": "offline" if is_offline() else "online",
            "models": configured_models(),
        },
    }
    if is_offline():
        body["llm"]["detail"] = "No language model is configured: set GROQ_API_KEY."
    return JsonResponse(body, status=200 if is_ready else 503)


def _check(probe: Callable[[], str]) -> str:
    try:
        return probe()
    except (DatabaseError, OSError) as exc:
        return f"failed: {type(exc).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"


def _cache() -> str:
    cache.set("health", "ok", 5)
    return "ok" if cache.get("health") == "ok" else "failed"
