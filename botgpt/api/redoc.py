"""Redoc's script, without the picture that it would fetch from its maker's host."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from django.http import HttpRequest

SCRIPT: Final = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
PICTURE: Final = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
NOTHING: Final = b"data:image/gif;base64,R0lGODlhAQABAAAAACw="


@gzip_page
@cache_control(public=True, max_age=86_400)
@require_safe
def script(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """A megabyte, so browsers keep it for a day."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@cache
def _script() -> bytes:
    found = finders.find(SCRIPT)
    assert isinstance(found, str)  # noqa: S101  it comes with the package
    return Path(found).read_bytes().replace(PICTURE, NOTHING)
