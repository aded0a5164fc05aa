"""The ways to say who is calling: keys, tokens, the session cookie, and the rule for a laptop without credentials."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from oauth2_provider.models import AccessToken
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken

from .models import ApiKey, User

if TYPE_CHECKING:
    from rest_framework.request import Request

CHALLENGE = 'Bearer realm="api"'
JWT_DOTS = 2


def bearer_token(request: Request) -> str | None:
    """What follows `Bearer` in the header `Authorization`; None when there is no such header."""
    scheme, _, token = authentication.get_authorization_header(request).decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer bgpt_…`; `request.auth` is the `ApiKey`. Other tokens are left to the next class."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        token = bearer_token(request)
        if token is None or not token.startswith(ApiKey.MARKER):
            return None
        key = ApiKey.objects.find(token)
        if key is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        key.record_use()
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class WebTokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>` from `auth/token`: a JWT, in three parts with dots between."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        token = bearer_token(request)
        if token is None or token.startswith(ApiKey.MARKER) or token.count(".") != JWT_DOTS:
            return None
        try:
            validated = self.get_validated_token(token.encode())
            return self.get_user(validated), validated
        except (InvalidToken, AuthenticationFailed) as exc:
            raise AuthenticationFailed("The token is invalid or expired.") from exc

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class OAuthAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <access token>` of an application; takes every bearer token that came this far.

    A token for client credentials acts as the owner of its application. The library's own class reads the body of the
    request, which the view may not want read.
    """

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        text = bearer_token(request)
        if text is None:
            return None
        checksum = hashlib.sha256(text.encode()).hexdigest()
        token = AccessToken.objects.select_related("user", "application__user").filter(token_checksum=checksum).first()
        user = (token.user or (token.application and token.application.user)) if token and token.is_valid() else None
        if user is None or not user.is_active:
            raise AuthenticationFailed("The token is invalid or expired.")
        return user, token

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


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
