"""The one error body, for every status from 400 up, whatever raised it.

Domain code raises its own exceptions; views translate them into `APIException`s, whose optional attributes `error`
(a title) and `extra` (more keys for the body) are taken over here. One that `is_expected` is no fault to be logged.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import csrf, defaults
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response

from llm.serializers import AmountField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

# DRF's codes on the left, the contract's on the right.
CODES = {
    "invalid": "invalid_request",
    "parse_error": "malformed_json",
    "authentication_failed": "not_authenticated",
    "unsupported_media_type": "unsupported_media_type",
    "throttled": "rate_limited",
    "error": "internal_error",
}
RETRY_SECONDS = 5


class ErrorSerializer(serializers.Serializer[dict[str, Any]]):
    """The body of every answer from 400 up."""

    error = serializers.CharField(help_text="What went wrong, in a few words.")
    detail = serializers.CharField(help_text="The same in a sentence.")
    code = serializers.CharField(help_text="Stable, for programs.")
    request_id = serializers.CharField(help_text="Also in the header `X-Request-ID` and in the server's logs.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the contract's name
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Of a validation error: what is wrong with each field.",
    )
    scope = serializers.CharField(
        required=False, help_text="Of `budget_exceeded`: the limit, such as `day_tokens` or `month_cost`."
    )
    limit = AmountField(required=False, help_text="Of `budget_exceeded`: tokens, or US dollars as a decimal string.")
    used = AmountField(required=False, help_text="Of `budget_exceeded`: spent, and reserved by running replies.")
    resets_at = serializers.DateTimeField(required=False, help_text="Of `budget_exceeded`: when the period is over.")


def error_body(*, error: str, detail: str, code: str, **extra: Any) -> dict[str, Any]:
    """The contract's error body; `extra` adds keys such as `fields`."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    return {"error": error, "detail": detail, "code": code, "request_id": request_id, **extra}


def error_response(http_status: int, *, code: str, detail: str, error: str = "") -> JsonResponse:
    """The error body outside REST framework's views."""
    title = error or HTTPStatus(http_status).phrase.capitalize()
    return JsonResponse(error_body(error=title, detail=detail, code=code), status=http_status)


def handle_exception(exc: Exception, context: dict[str, Any]) -> Response:
    """REST framework's exception handler: any exception of a view becomes the error body."""
    api_exc = _as_api_exception(exc)
    view, request = context.get("view"), context.get("request")
    detail, fields = _flatten(api_exc)
    error, code = _title(api_exc), _code(api_exc)
    if isinstance(exc, exceptions.ParseError) and request is not None and not _is_json(request.content_type):
        code = "invalid_request"
    if isinstance(exc, Http404 | exceptions.NotFound):
        error, detail = _not_found(view, detail)
    extra = dict(getattr(api_exc, "extra", {}))
    if fields:
        extra["fields"] = fields
    headers = {}
    if auth_header := getattr(api_exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(api_exc, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    if api_exc.status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR and not getattr(api_exc, "is_expected", False):
        logger.error("%s %s failed", getattr(request, "method", ""), getattr(request, "path", ""), exc_info=exc)
    return Response(
        error_body(error=error, detail=detail, code=code, **extra), status=api_exc.status_code, headers=headers
    )


class Unavailable(exceptions.APIException):
    """503: something that the API cannot do without is away."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = "The service is temporarily unavailable. Try again."
    wait = RETRY_SECONDS


class PayloadTooLarge(exceptions.APIException):
    """413: the body is larger than the server reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"
    default_detail = "The request body is too large."


# The first match counts: RequestDataTooBig is a SuspiciousOperation.
TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], Callable[[], exceptions.APIException]], ...] = (
    ((Http404,), exceptions.NotFound),
    ((PermissionDenied,), exceptions.PermissionDenied),
    ((OperationalError, InterfaceError, ConnectionError), Unavailable),
    ((RequestDataTooBig,), PayloadTooLarge),
    ((SuspiciousOperation, UnreadablePostError), lambda: exceptions.ValidationError("The request could not be read.")),
)


def _as_api_exception(exc: Exception) -> exceptions.APIException:
    if isinstance(exc, exceptions.APIException):
        return exc
    for kinds, make in TRANSLATIONS:
        if isinstance(exc, kinds):
            return make()
    return exceptions.APIException("An unexpected error happened. It has been logged.", code="internal_error")


def _code(exc: exceptions.APIException) -> str:
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else "invalid"
    if isinstance(exc, exceptions.ValidationError):
        code = "invalid"
    return CODES.get(code, code)


def _is_json(content_type: str | None) -> bool:
    """Whether a body was sent as JSON; a broken form is not malformed JSON."""
    return (content_type or "").startswith("application/json")


def _title(exc: exceptions.APIException) -> str:
    if isinstance(exc, exceptions.ValidationError):
        return "Invalid request"
    title: str = getattr(exc, "error", "")
    return title or HTTPStatus(exc.status_code).phrase.capitalize()


def _not_found(view: Any, detail: str) -> tuple[str, str]:
    """`Conversation not found` and which one, as the contract prints it."""
    key = getattr(view, "kwargs", {}).get(getattr(view, "lookup_url_kwarg", None) or "pk")
    queryset = getattr(view, "queryset", None)
    if key is None or queryset is None:
        return "Not found", detail
    name = queryset.model._meta.verbose_name
    return f"{name.capitalize()} not found", f"No {name} with ID {key} exists"


def _flatten(exc: exceptions.APIException) -> tuple[str, dict[str, list[str]]]:
    """One sentence, and what is wrong with each field as `path.to.field: [messages]`."""
    if not isinstance(exc, exceptions.ValidationError):
        return str(exc.detail), {}
    fields: dict[str, list[str]] = {}
    for path, message in _leaves(exc.detail):
        fields.setdefault(path or "non_field_errors", []).append(message)
    path, messages = next(iter(fields.items()))
    detail = messages[0] if path == "non_field_errors" else f"{path}: {messages[0]}"
    return detail, fields


def _leaves(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _leaves(value, f"{path}.{name}".strip("."))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from _leaves(value, f"{path}.{index}".strip(".") if nested else path)
    else:
        yield path, str(detail)


def not_found(request: HttpRequest, exception: Exception | None = None, **_: Any) -> HttpResponse:
    """The answer to an address that does not exist; the admin keeps its own page."""
    if request.path.startswith("/admin/") and exception is not None:
        return defaults.page_not_found(request, exception)
    return error_response(404, code="not_found", detail=f"Nothing is at {request.path}", error="Not found")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """The answer to a request that Django itself refuses, such as one for an unknown host."""
    return error_response(400, code="invalid_request", detail="The request could not be read.")


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer to an error outside REST framework's views; it says nothing of the inside."""
    if request.path.startswith("/admin/"):
        return defaults.server_error(request)
    return error_response(500, code="internal_error", detail="An unexpected error happened. It has been logged.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a session request without its CSRF token."""
    if request.path.startswith("/admin/"):
        return csrf.csrf_failure(request, reason)
    return error_response(403, code="permission_denied", detail=reason or "The CSRF token is missing.")
