"""Tells schemathesis what an event's `data` is on the wire: the text of the JSON that the OpenAPI document describes.

The document says what a program works with, as OpenAPI 3.0 has no words for JSON within a text.
"""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    for name, schema in raw_schema["components"]["schemas"].items():
        if name.startswith("Message") and name.endswith("Event"):
            fields = schema["properties"]
            content = {"type": "string", "contentMediaType": "application/json", "contentSchema": fields["data"]}
            fields["data"] = content
