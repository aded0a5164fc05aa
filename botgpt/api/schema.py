"""The OpenAPI document: what the views do not say themselves, above all the errors of each operation."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema

from .errors import ErrorSerializer
from .reference import CODES, ERROR_EXAMPLES, component

BY_BODY = {
    "400": "Invalid body: `invalid_request`, `malformed_json`",
    "413": "The body is too large",
    "415": "Unsupported media type",
}
ALWAYS = {
    "429": "Too many calls: `Retry-After` says how many seconds to wait",
    "500": "Internal error",
    "503": "The database is away, or the process is full: `Retry-After` says when to try again",
}
CODE = re.compile(r"`([a-z_]+)`")
HEADERS = {
    "401": ("WWW-Authenticate", "string", "How to authenticate."),
    "409": ("Retry-After", "integer", "Seconds after which to try again, when a reply is being generated."),
    "429": ("Retry-After", "integer", "Seconds after which to try again."),
    "503": ("Retry-After", "integer", "Seconds after which to try again."),
}


class ContractSchema(AutoSchema):
    """Adds the errors that every operation of its kind can give, each with the one error body and an example.

    A view adds its own with `extra_errors`: action to status to description. Codes in backticks choose the examples.
    """

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        """Only what is written for the reader of the API, so that a missing one is seen; not the class's docstring."""
        return ""

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()
        if paginator is not None:
            paginator.results_name = getattr(self.view, "results_name", "results")
        return paginator

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for code, description in self._errors(operation).items():
            operation["responses"].setdefault(code, self._error(code, description))
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation

    def _errors(self, operation: dict[str, Any]) -> dict[str, str]:
        """Status to description of every error that the operation can give."""
        errors: dict[str, str] = {}
        if self.view.get_authenticators():
            errors |= {"401": "No or bad credentials", "403": "The credentials lack the scope"}
        if not getattr(self.view.content_negotiation_class, "accepts_anything", False):
            errors["406"] = "Only JSON is offered"
        if any(p["in"] == "query" for p in operation.get("parameters", [])):
            errors["400"] = "Invalid query"
        if "requestBody" in operation:
            errors |= BY_BODY
        if any(p["in"] == "path" for p in operation.get("parameters", [])):
            errors["404"] = "Not found, or not the caller's"
        own: dict[str, str] = getattr(self.view, "extra_errors", {}).get(getattr(self.view, "action", None), {})
        return errors | ALWAYS | own

    def _error(self, status: str, description: str) -> dict[str, Any]:
        named = [code for code in CODE.findall(description) if component(code) in ERROR_EXAMPLES]
        examples = {
            code: {"$ref": f"#/components/examples/{component(code)}"} for code in dict.fromkeys(named or CODES[status])
        }
        reference = self.resolve_serializer(ErrorSerializer, "response").ref
        response: dict[str, Any] = {
            "description": description,
            "content": {"application/json": {"schema": reference, "examples": examples}},
        }
        if status in HEADERS:
            name, kind, meaning = HEADERS[status]
            response["headers"] = {name: {"schema": {"type": kind}, "description": meaning}}
        return response
