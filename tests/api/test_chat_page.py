"""The address of the chat page; what it does is tested in a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.staticfiles import finders

from tests.builders import conversation_of, document_of

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

    from botgpt.accounts.models import User


@pytest.mark.parametrize("path", ["/", "/c/7"])
def test_whoever_has_to_log_in_is_sent_there_and_comes_back(client: Client, alice: User, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/login?next={path}")
    form = {"username": "alice", "password": "correct horse battery", "next": path}
    assert client.post(response["Location"], form)["Location"] == path
    assert client.get(path).status_code == 200


def test_where_a_local_call_needs_no_login_the_page_needs_none(client: Client, settings: Settings, db: None) -> None:
    settings.ANONYMOUS_USER = "demo"
    response = client.get("/")
    assert response.status_code == 200
    assert "csrftoken" in response.cookies
    assert "no-store" in response["Cache-Control"]


def test_nothing_of_what_a_user_has_stands_in_the_page(
    client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice, title="Hush hush", documents=[document_of(alice, "x", filename="secret.txt")])
    client.force_login(alice)
    with django_assert_num_queries(2):  # the session and its user
        page = client.get(f"/c/{conversation.pk}").content.decode()
    assert not {word for word in ("Hush", "secret", "alice", "example.com") if word in page}


def test_another_method_is_refused(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.post("/").status_code == 405


def test_logging_out_ends_the_session_and_takes_a_form(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("name", ["marked/marked.esm.js", "dompurify/purify.es.js"])
def test_a_library_of_others_is_the_version_that_the_list_names_and_has_its_licence(name: str) -> None:
    path = _static(f"vendor/{name}")
    listed = re.search(rf"\| ([\d.]+) \|[^|]+\| `{re.escape(name)}`", _static("vendor/README.md").read_text())
    assert listed is not None
    assert re.search(rf"(marked v|DOMPurify ){re.escape(listed[1])} ", path.read_text()[:400])
    assert (path.parent / "LICENSE").is_file()


def _static(name: str) -> Path:
    from pathlib import Path

    found = finders.find(name)
    assert isinstance(found, str)
    return Path(found)
