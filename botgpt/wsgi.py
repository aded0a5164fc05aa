"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.core.wsgi import get_wsgi_application

from botgpt.operations import telemetry
from botgpt.operations.bodies import Body

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botgpt.settings")
telemetry.start()  # tracing adds a middleware, so it comes before Django reads them
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Django, for requests whose bodies may come slowly."""
    environ["wsgi.input"] = Body(environ["wsgi.input"], length=environ.get("CONTENT_LENGTH", ""))
    return _django(environ, start_response)
