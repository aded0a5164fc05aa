"""The endpoints under `auth/`: logging in for tokens, one's own keys, and who one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet
from rest_framework_simplejwt.exceptions import TokenError

from . import examples, tokens
from .authentication import CHALLENGE
from .models import ApiKey, AuditEvent, User
from .permissions import MadeByAPerson, granted_scopes
from .serializers import (
    ApiKeySerializer,
    IssuedApiKeySerializer,
    LoginSerializer,
    MeSerializer,
    NewApiKeySerializer,
    RefreshSerializer,
    TokenPairSerializer,
)

if TYPE_CHECKING:
    from rest_framework.request import Request


def caller(request: Request) -> User:
    """The user who is calling; nobody else gets past the permissions."""
    return cast("User", request.user)


class TokenViewSet(ViewSet):
    """Web tokens for a username and password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    limits: ClassVar = {"create": "logins", "refresh": "logins", "revoke": "logins"}
    extra_errors: ClassVar = {
        "create": {"401": "No active account has this username and password: `not_authenticated`"},
        "refresh": {"401": "The refresh token is invalid, expired or used: `not_authenticated`"},
    }

    def get_authenticate_header(self, request: Request) -> str:
        return CHALLENGE

    @extend_schema(
        summary="Log in: an access and a refresh token for a username and password",
        description="`access` goes with calls for some minutes, `refresh` is exchanged for the next pair. After some "
        "wrong passwords the username is locked for this address for a while: 429.",
        operation_id="auth_login",
        request=LoginSerializer,
        responses={200: TokenPairSerializer},
        auth=[],
        examples=examples.LOGIN,
    )
    def create(self, request: Request) -> Response:
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = authenticate(request._request, **body.validated_data)
        if not isinstance(user, User):
            raise exceptions.AuthenticationFailed("No active account has this username and password.")
        user_logged_in.send(sender=User, request=request._request, user=user)
        return Response(tokens.issue(user))

    @extend_schema(
        summary="Exchange a refresh token for a new pair; it can be used once",
        description="A pair whose token came twice is refused the second time. A new password ends all of them.",
        operation_id="auth_refresh",
        request=RefreshSerializer,
        responses={200: TokenPairSerializer},
        auth=[],
        examples=examples.REFRESH,
    )
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            return Response(tokens.renew(body.validated_data["refresh"]))
        except TokenError as exc:
            raise exceptions.AuthenticationFailed("The refresh token is invalid, expired or used.") from exc

    @extend_schema(
        summary="Log out: make a refresh token useless",
        description="Its access token works until it expires, minutes later. A token that is void already is 204 too.",
        operation_id="auth_revoke",
        request=RefreshSerializer,
        responses={204: OpenApiResponse(description="It is of no use any more")},
        auth=[],
        examples=examples.REVOKE,
    )
    @action(detail=False, methods=["post"])
    def revoke(self, request: Request) -> Response:
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        tokens.revoke(body.validated_data["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiKeyViewSet(mixins.ListModelMixin, GenericViewSet[ApiKey]):
    """The caller's own API keys."""

    queryset = ApiKey.objects.order_by("-id")
    serializer_class = ApiKeySerializer
    permission_classes = (*GenericViewSet.permission_classes, MadeByAPerson)
    results_name = "keys"
    lookup_value_converter = "int"
    filterset_class = None

    @extend_schema(
        summary="List your API keys, newest first",
        description="Expired and revoked ones too, with their `state`. Their tokens are shown only when they are made.",
        examples=examples.KEYS,
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Make an API key; its token is shown only in this answer",
        description="Takes a login: an API key cannot make others.",
        request=NewApiKeySerializer,
        responses={201: IssuedApiKeySerializer},
        examples=examples.NEW_KEY,
    )
    def create(self, request: Request) -> Response:
        body = NewApiKeySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key, token = ApiKey.objects.issue(user=caller(request), **body.validated_data)
        AuditEvent.objects.record(AuditEvent.Action.ADD, key, request=request, detail=f"“{key.name}”, {key.scope_list}")
        return Response({**ApiKeySerializer(key).data, "token": token}, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Revoke an API key",
        description="It stops working at once and stays in the list. One that is revoked already is 204 too.",
        operation_id="auth_keys_revoke",
        responses={204: OpenApiResponse(description="It does not work any more")},
    )
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        key = self.get_object()
        if key.revoked_at is None:
            key.revoke()
            AuditEvent.objects.record(AuditEvent.Action.REVOKE, key, request=request, detail=f"“{key.name}”")
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeViewSet(ViewSet):
    """The caller."""

    @extend_schema(
        summary="Who is calling, and what the credentials allow",
        description="The user that the key, the token or the session belongs to.",
        responses={200: MeSerializer},
        examples=examples.ME,
    )
    def retrieve(self, request: Request) -> Response:
        return Response(MeSerializer(caller(request), context={"scopes": granted_scopes(request)}).data)
