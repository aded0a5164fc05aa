"""How answers are written."""

from __future__ import annotations

from typing import Any

import orjson
from rest_framework.renderers import JSONRenderer


class OrjsonRenderer(JSONRenderer):
    """JSON in UTF-8 by orjson, which takes a tenth of the standard library's time; times end in `Z`.

    One without a zone is in UTC: so SQLite gives them where the ORM is not asked.
    """

    options = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, default=_plain, option=self.options)


def _plain(value: Any) -> Any:
    """What orjson does not know: REST framework's own dict and list types, Decimals, lazy strings."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list):
        return list(value)
    return str(value)
