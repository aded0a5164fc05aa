"""The OpenAPI document: what the views do not say themselves, above all the errors of each operation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from .errors import ErrorSerializer

ALWAYS = {
    "401": "No or bad credentials",
    "403": "The credentials lack the scope",
    "406": "Only JSON is offered",
    "429": "Too many calls: `Retry-After` says how many seconds to wait",
}
UNAVAILABLE = {
    "500": "Internal error",
    "503": "The database is away, or the process is full: see `Retry-After`",
}


class ContractSchema(AutoSchema):
    """Adds the errors that every operation of its kind can give, each with the one error body."""

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()
        if paginator is not None:
            paginator.results_name = getattr(self.view, "results_name", "results")
        return paginator

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        errors = dict(ALWAYS)
        if "requestBody" in operation:
            errors |= {"400": "Invalid body", "413": "The body is too large", "415": "Unsupported media type"}
        if any(p["in"] == "query" for p in operation.get("parameters", [])):
            errors.setdefault("400", "Invalid query")
        if any(p["in"] == "path" for p in operation.get("parameters", [])):
            errors["404"] = "Not found, or not the caller's"
        errors |= UNAVAILABLE | getattr(self.view, "extra_errors", {}).get(getattr(self.view, "action", None), {})
        reference = self.resolve_serializer(ErrorSerializer, "response").ref
        content = {"application/json": {"schema": reference}}
        for code, description in errors.items():
            operation["responses"].setdefault(code, {"description": description, "content": content})
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation
