"""The ways to say who is calling: API key, session cookie, and the rule for a laptop without credentials."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed

from .models import ApiKey, User

if TYPE_CHECKING:
    from rest_framework.request import Request


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer bgpt_…`; `request.auth` is the `ApiKey`."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _, token = authentication.get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != self.keyword.lower():
            return None
        key = ApiKey.objects.find(token.strip())
        if key is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        key.record_use()
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return f'{self.keyword} realm="api"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The session cookie of the admin and the docs page; Django's CSRF rule applies."""


class AnonymousUserAuthentication(authentication.BaseAuthentication):
    """A call without credentials from this machine acts as the user named by `ANONYMOUS_USER`.

    Meant for development, where the setting defaults to `demo`; in production it is empty and nobody is let in.
    A page of another site that a browser on this machine shows does not count as this machine.
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        if not settings.ANONYMOUS_USER or not self._is_local(request):
            return None
        user = User.objects.filter(username=settings.ANONYMOUS_USER, is_active=True).first()
        return (user, None) if user else None

    @staticmethod
    def _is_local(request: Request) -> bool:
        meta = request.META
        if "HTTP_X_FORWARDED_FOR" in meta or "HTTP_AUTHORIZATION" in meta:
            return False
        try:
            loopback = ipaddress.ip_address(meta.get("REMOTE_ADDR", "")).is_loopback
        except ValueError:
            return False
        origin = meta.get("HTTP_ORIGIN")
        return loopback and (origin is None or urlsplit(origin).netloc == request.get_host())
