"""A person logs in, allows an application, and arrives there, in a browser that keeps to our content policy."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.service.running import ROOT

from .conftest import log_in

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pytest_httpserver import HTTPServer

    from tests.service.running import Service


def test_the_way_to_an_application_and_back(
    page: Page, complaints: list[str], service: Service, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/callback").respond_with_data("<title>There</title>", content_type="text/html")
    httpserver.expect_request("/favicon.ico").respond_with_data("")
    callback = httpserver.url_for("/callback")
    options = ["--name", "Notebook", "--client-id", "notebook", "--redirect-uris", callback]
    command = [sys.executable, "manage.py", "createapplication", *options, "public", "authorization-code"]
    subprocess.run(command, cwd=ROOT, env=dict(service.environment), check=True, capture_output=True)
    question = {
        "response_type": "code",
        "client_id": "notebook",
        "redirect_uri": callback,
        "scope": "read",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    page.goto(f"/api/v1/auth/oauth/authorize?{urlencode(question)}")
    log_in(page)
    page.click("text=Allow >> nth=-1")
    page.wait_for_url("**/callback?code=*")
    assert page.title() == "There"
    assert complaints == []
