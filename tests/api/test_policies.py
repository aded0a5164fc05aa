"""What browsers are told about our pages and answers."""

from __future__ import annotations

import pytest
from django.test import Client


def policy(response: object) -> dict[str, list[str]]:
    """The content policy of a response, by directive."""
    parts = response["Content-Security-Policy"].split("; ")  # type: ignore[index]
    return {name: sources for name, *sources in (part.split() for part in parts)}


@pytest.mark.parametrize("path", ["/api/v1/conversations", "/api/v1/docs", "/api/v1/redoc", "/nowhere", "/health"])
def test_outside_the_admin_nothing_inline_runs_and_nothing_comes_from_elsewhere(
    client: Client, db: None, path: str
) -> None:
    directives = policy(client.get(path))
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == ["'self'"]
    assert directives["frame-ancestors"] == directives["base-uri"] == ["'none'"]
    assert "'unsafe-inline'" not in directives["style-src"]


def test_the_admin_may_evaluate_but_runs_no_inline_script(admin_client: Client) -> None:
    for path in ("/admin/", "/admin/login/"):
        directives = policy(admin_client.get(path))
        assert directives["script-src"] == ["'self'", "'unsafe-eval'"]


def test_the_other_headers_are_there_too(client: Client, db: None) -> None:
    response = client.get("/api/v1/conversations")
    assert "camera=()" in response["Permissions-Policy"]
    assert response["Cross-Origin-Opener-Policy"] == response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert (response["X-Content-Type-Options"], response["X-Frame-Options"]) == ("nosniff", "DENY")
    assert (response["Referrer-Policy"], response["Cache-Control"]) == ("same-origin", "no-store")
