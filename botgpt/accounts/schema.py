"""How the ways to authenticate appear in the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "botgpt.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API key: `bgpt_…`"}


class WebTokenScheme(OpenApiAuthenticationExtension):
    target_class = "botgpt.accounts.authentication.WebTokenAuthentication"
    name = "webToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The access token of `POST /api/v1/auth/token`",
        }


class OAuthScheme(OpenApiAuthenticationExtension):
    target_class = "botgpt.accounts.authentication.OAuthAuthentication"
    name = "oauth2"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        scopes = settings.OAUTH2_PROVIDER["SCOPES"]
        token = reverse("oauth2_provider:token")
        code = {"authorizationUrl": reverse("oauth2_provider:authorize"), "tokenUrl": token, "refreshUrl": token}
        return {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {**code, "scopes": scopes},
                "clientCredentials": {"tokenUrl": token, "scopes": scopes},
            },
        }


class CookieScheme(SessionScheme):
    target_class = "botgpt.accounts.authentication.SessionAuthentication"
    name = "session"


class AnonymousScheme(OpenApiAuthenticationExtension):
    """No scheme at all, and an empty requirement where the rule for local calls is on."""

    target_class = "botgpt.accounts.authentication.AnonymousUserAuthentication"
    name: list[str] = []  # noqa: RUF012  as the base class declares it

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{}] if settings.ANONYMOUS_USER else []

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return []
