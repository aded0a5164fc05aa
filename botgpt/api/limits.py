"""Limits on what a request may carry, kept before anything of it is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from .errors import error_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

MULTIPART_OVERHEAD = 64 * 2**10
DRAIN_BYTES = 256 * 2**20


class BodyLimitMiddleware:
    """413 for a body that announces more than `MAX_UPLOAD_BYTES` (twice that for JSON, whose escapes lengthen it).

    The body is read and thrown away up to `DRAIN_BYTES`: a client that is still sending when the connection closes
    gets a reset instead of the answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if request.content_type == "multipart/form-data":
            limit = settings.MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD
            if request.path.startswith("/admin/"):
                limit *= 20  # the admin takes many files at once; each is checked by itself
        if length <= limit:
            return self.get_response(request)
        self._drain(request, min(length, DRAIN_BYTES))
        detail = f"The body has {length:,} bytes; at most {limit:,} are accepted."
        return error_response(413, code="payload_too_large", detail=detail, error="Payload too large")

    @staticmethod
    def _drain(request: HttpRequest, left: int) -> None:
        while left > 0 and (block := request.environ["wsgi.input"].read(min(left, 2**16))):  # type: ignore[attr-defined]
            left -= len(block)
