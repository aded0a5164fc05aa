"""How bodies are read."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

if TYPE_CHECKING:
    from collections.abc import Mapping


class OrjsonParser(JSONParser):
    """JSON in UTF-8 by orjson: strict about NaN and halves of surrogate pairs, and it refuses nesting that is too deep.

    The standard library's parser answers a body of a hundred thousand brackets with a RecursionError.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body.

        Raises:
            ParseError: it is not JSON.
        """
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError as exc:
            raise ParseError(f"The body is not JSON: {exc}.") from exc
