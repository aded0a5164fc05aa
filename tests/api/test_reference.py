"""The OpenAPI document is whole: every operation is described, with examples that are what its schemas promise."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from botgpt.api.reference import ERROR_EXAMPLES, TAGS
from tests.openapi import STREAM, Operation, complaint, complaint_of_event, document, operations, resolved
from tests.service.running import ROOT
from tests.service.sse import parsed

EVERY = pytest.mark.parametrize("operation", [pytest.param(each, id=each.id) for each in operations()])
TEXT = {"text/markdown", "application/octet-stream", STREAM}


def examples(content: dict[str, Any]) -> list[Any]:
    return [resolved(example)["value"] for example in content.get("examples", {}).values()]


@EVERY
def test_an_operation_has_a_summary_a_description_and_a_group(operation: Operation) -> None:
    assert operation.spec["summary"][0].isupper()
    assert len(operation.spec["summary"]) <= 80
    assert operation.spec["description"].endswith(".")
    assert set(operation.spec["tags"]) <= {tag["name"] for tag in TAGS}


@EVERY
def test_parameters_are_described(operation: Operation) -> None:
    for parameter in operation.parameters("query") + operation.parameters("header"):
        assert parameter.get("description"), parameter["name"]


@EVERY
def test_requests_have_examples_that_are_valid(operation: Operation) -> None:
    for media_type, body in operation.bodies.items():
        assert examples(body), media_type
        for example in examples(body):
            if media_type == "multipart/form-data":
                example = example | {"metadata": json.loads(example["metadata"])}  # noqa: PLW2901
            assert complaint(example, body["schema"]) == ""


@EVERY
def test_successes_have_examples_that_are_valid(operation: Operation) -> None:
    assert operation.successes
    for status, answer in operation.successes.items():
        assert answer["description"] or answer["content"]
        assert ("content" in answer) == (status != "204")
        for media_type, content in answer.get("content", {}).items():
            assert examples(content), f"{status} {media_type}"
            for example in examples(content):
                assert media_type not in TEXT or isinstance(example, str)
                assert media_type in TEXT or complaint(example, content["schema"]) == ""


@EVERY
def test_the_events_of_examples_are_valid(operation: Operation) -> None:
    for answer in operation.successes.values():
        for stream in examples(answer.get("content", {}).get(STREAM, {})):
            received = list(parsed(iter(stream.splitlines())))
            assert received[-1].name == "message.completed"
            assert [complaint_of_event(event) for event in received if complaint_of_event(event)] == []


@EVERY
def test_errors_have_examples_of_the_one_body(operation: Operation) -> None:
    assert {429, 500, 503} <= operation.errors
    for status in operation.errors:
        answer = operation.spec["responses"][str(status)]
        assert answer["description"]
        content = answer["content"]["application/json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Error"}
        assert examples(content)
        for name, example in content["examples"].items():
            assert resolved(example)["value"]["code"] == name


def test_the_examples_of_errors_are_valid() -> None:
    for example in ERROR_EXAMPLES.values():
        assert complaint(example["value"], {"$ref": "#/components/schemas/Error"}) == ""


def test_the_code_of_every_error_body_is_in_the_guide() -> None:
    guide = (ROOT / "docs/api.md").read_text()
    for example in ERROR_EXAMPLES.values():
        assert f"`{example['summary']}`" in guide


def test_names_are_unique_and_fit_for_programs() -> None:
    ids = [operation.id for operation in operations()]
    assert len(ids) == len(set(ids))
    assert [each for each in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)*", each)] == []
    schemas = document()["components"]["schemas"]
    assert [name for name in schemas if re.search(r"Enum|Patched|Paginated|\d", name)] == []


def test_every_group_is_described_and_used() -> None:
    used = {tag for operation in operations() for tag in operation.spec["tags"]}
    assert used == {tag["name"] for tag in TAGS}


def test_no_field_is_left_without_a_type() -> None:
    untyped = [
        f"{name}.{field}"
        for name, schema in document()["components"]["schemas"].items()
        for field, kind in schema.get("properties", {}).items()
        if not {"type", "$ref", "oneOf", "allOf"} & set(kind)
    ]
    assert untyped == []
