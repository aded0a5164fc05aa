"""Where the cache is: in Redis, shared by all processes, or in the memory of each. See docs/decisions/0020-redis.md."""

from __future__ import annotations

import logging
import time
from typing import Any

SOCKET_SECONDS = 0.5  # a Redis that hangs delays a request by no more
SILENCE_SECONDS = 60.0


def caches(redis_url: str) -> dict[str, dict[str, Any]]:
    """Django's `CACHES`. A Redis that is away is a cache that is empty: nothing is raised."""
    if not redis_url:
        return {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    return {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": "botgpt",
            "OPTIONS": {
                "IGNORE_EXCEPTIONS": True,
                "SOCKET_CONNECT_TIMEOUT": SOCKET_SECONDS,
                "SOCKET_TIMEOUT": SOCKET_SECONDS,
            },
        }
    }


class OncePerOutage(logging.Filter):
    """Says in one line a minute that Redis is away, where django-redis would log a traceback for each access."""

    def __init__(self) -> None:
        super().__init__()
        self._silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is written."""
        now = time.monotonic()
        if now < self._silent_until:
            return False
        self._silent_until = now + SILENCE_SECONDS
        reason = record.exc_info[1] if record.exc_info else record.getMessage()
        record.msg, record.args = "Redis does not answer; going on without it: %s", (reason,)
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
        return True
