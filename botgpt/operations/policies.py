"""What browsers may do with our pages and answers: headers that every response gets."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from csp.constants import HEADER, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from csp.utils import build_policy

if TYPE_CHECKING:
    from csp.middleware import PolicyParts
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# Scripts and styles come from our own static files; nothing inline runs, and nothing is sent elsewhere.
PAGES: dict[str, Any] = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "worker-src": ["blob:"],  # Redoc's search
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
# Alpine, on which Unfold is built, evaluates the expressions in its attributes and sets style attributes.
ADMIN = PAGES | {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}

# Redoc writes style sheets: an empty one that it fills through the DOM, and one for its search box.
REDOC = {
    "style-src": [
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
    ]
}

DATA = ("application/json", "text/event-stream")
PERMISSIONS = ", ".join(f"{name}=()" for name in "camera display-capture geolocation microphone payment usb".split())


@cache
def _of_pages() -> str:
    return build_policy(config=PAGES)


class PoliciesMiddleware(CSPMiddleware):
    """django-csp's, with a policy for the admin, and the headers that belong beside it."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002  django-csp's signature
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only:
            parts.config = ADMIN if request.path.startswith("/admin/") else PAGES
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith(DATA):
            response.headers.setdefault(HEADER, _of_pages())
        else:  # this builds it anew for each answer
            response = super().process_response(request, response)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")  # what is private stays out of every cache
        return response
