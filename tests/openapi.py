"""The OpenAPI document, to walk through: its operations, and whether a value is what a schema promises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema
from drf_spectacular.generators import SchemaGenerator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.sse import Event

STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.spec["operationId"])

    @property
    def bodies(self) -> dict[str, Any]:
        """Media type to what may be sent as it."""
        return dict(self.spec.get("requestBody", {}).get("content", {}))

    @property
    def errors(self) -> set[int]:
        return {int(status) for status in self.spec["responses"] if status >= "400"}

    @property
    def successes(self) -> dict[str, Any]:
        return {status: answer for status, answer in self.spec["responses"].items() if status < "400"}

    def parameters(self, place: str) -> list[dict[str, Any]]:
        return [parameter for parameter in self.spec.get("parameters", []) if parameter["in"] == place]


@cache
def document() -> dict[str, Any]:
    """The document as `/api/v1/schema` serves it."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return dict(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


def operations() -> Iterator[Operation]:
    for path, item in document()["paths"].items():
        for method, spec in item.items():
            yield Operation(method, path, spec)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference points to; anything else as it is."""
    while "$ref" in node:
        target: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def complaint(value: Any, schema: dict[str, Any]) -> str:
    """Why the value is not what the schema promises; empty when it is. Fields that are not promised are wrong too."""
    root = _strict(schema) | {"components": _strict_components()}
    errors = list(jsonschema.Draft202012Validator(root).iter_errors(value))
    return "; ".join(f"{error.json_path}: {error.message[:300]}" for error in errors)


def complaint_of_event(event: Event) -> str:
    return complaint({"event": event.name, "id": event.id, "data": event.data}, {"$ref": "#/components/schemas/Event"})


@cache
def _strict_components() -> dict[str, Any]:
    return {"schemas": _strict(document()["components"]["schemas"])}


def _strict(node: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: null is a type, and objects have the properties that they list."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        node.setdefault("additionalProperties", False)
    if node.pop("nullable", False) is True:
        return {"anyOf": [node, {"type": "null"}]}
    return node
