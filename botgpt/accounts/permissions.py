"""What a caller's credentials allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth2_provider.models import AccessToken
from rest_framework.permissions import SAFE_METHODS, BasePermission

from .models import ApiKey

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """A key or an application needs `read` for reading and `write` for everything else; who has logged in has both.

    A view whose POST only reads (a search) says so with `read_actions`.
    """

    message = "These credentials do not have the scope that the call needs."

    def has_permission(self, request: Request, view: APIView) -> bool:
        reads = request.method in SAFE_METHODS or getattr(view, "action", None) in getattr(view, "read_actions", ())
        return (ApiKey.Scope.READ if reads else ApiKey.Scope.WRITE) in granted_scopes(request)


def granted_scopes(request: Request) -> list[str]:
    """What the request's credentials allow."""
    match request.auth:
        case ApiKey() as key:
            return list(key.scopes)
        case AccessToken() as token:
            return str(token.scope).split()
        case _:
            return list(ApiKey.Scope.values)


class MadeByAPerson(BasePermission):
    """New credentials take a login: a key that leaked could make others, which its revocation would not reach."""

    message = "Neither a key nor an application can make keys. Log in: POST /api/v1/auth/token."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return getattr(view, "action", None) != "create" or not isinstance(request.auth, ApiKey | AccessToken)
