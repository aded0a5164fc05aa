"""What a caller's credentials allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission

from .models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """An API key needs `read` for reading and `write` for everything else; other credentials have both.

    A view whose POST only reads (a search) says so with `read_actions`.
    """

    message = "This API key does not have the scope that the call needs."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return True
        reads = request.method in SAFE_METHODS or getattr(view, "action", None) in getattr(view, "read_actions", ())
        return (ApiKey.Scope.READ if reads else ApiKey.Scope.WRITE) in request.auth.scopes
