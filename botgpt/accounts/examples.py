"""Examples for the OpenAPI document: logins, tokens and keys."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

RENEWAL = {"refresh": "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"}
PAIR = {"access": "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2lnbmF0dXJl"} | RENEWAL
KEY: dict[str, Any] = {
    "id": 3,
    "name": "Dashboard",
    "prefix": "9f2c41d0",
    "scopes": ["read"],
    "calls_per_minute": 60,
    "state": "active",
    "created_at": "2026-01-01T12:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}

LOGIN = [
    OpenApiExample("A login", {"username": "alice", "password": "correct horse battery"}, request_only=True),
    OpenApiExample("A pair", PAIR, response_only=True),
]
REFRESH = [
    OpenApiExample("A token", RENEWAL, request_only=True),
    OpenApiExample("The next pair", PAIR, response_only=True),
]
REVOKE = [OpenApiExample("A token", RENEWAL, request_only=True)]
KEYS = [OpenApiExample("A key", KEY, response_only=True)]
NEW_KEY = [
    OpenApiExample(
        "A key that only reads", {"name": "Dashboard", "scopes": ["read"], "calls_per_minute": 60}, request_only=True
    ),
    OpenApiExample("Made", KEY | {"token": "bgpt_9f2c41d0_example"}, response_only=True, status_codes=["201"]),
]
ME = [
    OpenApiExample(
        "A person",
        {
            "id": 1,
            "username": "alice",
            "email": "alice@example.com",
            "created_at": "2026-01-01T12:00:00Z",
            "scopes": ["read", "write"],
        },
        response_only=True,
    )
]
