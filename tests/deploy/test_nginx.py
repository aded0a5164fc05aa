"""nginx with our configuration, before a small server that answers slowly and piece by piece."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from string import Template
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme
import yaml
from django.conf import settings as django_settings

from botgpt.api.limits import MULTIPART_OVERHEAD
from tests.deploy.tools import DEPLOY, ROOT, found, needs, run
from tests.service.running import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATE = (DEPLOY / "nginx/botgpt.conf.template").read_text()
MAIN = """
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_buffer_size 2m;  # its user may not write into our folder
    {temporary}
    {site}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
PIECE_SECONDS = 1.0

pytestmark = needs("nginx")


class Application(BaseHTTPRequestHandler):
    """Answers with two events, the second a second later, and with the headers that it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        for name in ("host", "x-forwarded-for", "x-forwarded-proto"):
            self.send_header(f"got-{name}", self.headers[name])
        self.end_headers()
        self._piece(b"event: one\n\n")
        time.sleep(PIECE_SECONDS)
        self._piece(b"event: two\n\n")
        self._piece(b"")

    def do_POST(self) -> None:
        length = len(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.send_header("got-bytes", str(length))
        self.end_headers()

    def _piece(self, data: bytes) -> None:
        with suppress(OSError):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Proxy:
    """nginx and its certificate, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.https, self.http = free_port(), free_port()
        certificate = self.authority.issue_cert("chat.example.com", "127.0.0.1")
        certificate.private_key_pem.write_to_path(folder / "privkey.pem")
        certificate.cert_chain_pems[0].write_to_path(folder / "fullchain.pem")

    def write(self, upstream: str) -> Path:
        values = {"DOMAIN": "chat.example.com", "UPSTREAM": upstream, "TLS_DIR": str(self.folder), "MAX_BODY": "1m"}
        site = Template(TEMPLATE).safe_substitute(values)
        site = site.replace("listen 80 ", f"listen 127.0.0.1:{self.http} ")
        site = site.replace("listen 443 ", f"listen 127.0.0.1:{self.https} ")
        temporary = " ".join(f"{name}_temp_path {self.folder}/{name};" for name in TEMPORARY)
        path = self.folder / "nginx.conf"
        path.write_text(MAIN.format(folder=self.folder, temporary=temporary, site=site))
        return path

    def client(self) -> httpx.Client:
        """Speaks TLS with it as a browser does that asks for `chat.example.com`."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        address = f"https://127.0.0.1:{self.https}"
        return httpx.Client(base_url=address, verify=context, headers={"host": "chat.example.com"})


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    proxy = Proxy(tmp_path_factory.mktemp("nginx"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as application:
        threading.Thread(target=application.serve_forever, daemon=True).start()
        configuration = proxy.write(f"127.0.0.1:{application.server_port}")
        run("nginx", "-t", "-c", configuration)
        process = subprocess.Popen([str(found("nginx")), "-c", configuration, "-g", "daemon off;"])
        _wait_for(proxy.https)
        yield proxy
        process.terminate()
        process.wait(timeout=10)
        application.shutdown()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("nginx did not start in time.")


@pytest.fixture
def browser(proxy: Proxy) -> Iterator[httpx.Client]:
    with proxy.client() as client:
        yield client


@pytest.mark.parametrize("path", ["/api/v1/conversations/7/messages/8/events", "/api/v1/conversations/7/messages"])
def test_an_event_arrives_when_it_is_sent(browser: httpx.Client, path: str) -> None:
    with browser.stream("GET", path) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"event: one\n\n"
        first_at = time.monotonic()
        assert b"".join(pieces) == b"event: two\n\n"
        # Were they collected, they would come together.
        assert time.monotonic() - first_at > PIECE_SECONDS / 2


def test_the_application_learns_who_asks_for_which_host(browser: httpx.Client) -> None:
    lies = {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "http"}
    headers = browser.get("/api/v1/conversations", headers=lies).headers
    assert (headers["got-host"], headers["got-x-forwarded-for"]) == ("chat.example.com", "127.0.0.1")
    assert headers["got-x-forwarded-proto"] == "https"


def test_metrics_are_not_for_the_outside(browser: httpx.Client) -> None:
    assert browser.get("/metrics").status_code == 404


def test_bodies_are_taken_up_to_the_limit(browser: httpx.Client) -> None:
    assert browser.post("/api/v1/documents", content=b"x" * 1_000_000).headers["got-bytes"] == "1000000"
    assert browser.post("/api/v1/documents", content=b"x" * 1_100_000).status_code == 413
    admin = browser.post("/admin/documents/document/add/", content=b"x" * 1_100_000)
    assert admin.headers["got-bytes"] == "1100000"


def test_plain_http_is_sent_to_https(proxy: Proxy) -> None:
    response = httpx.get(f"http://127.0.0.1:{proxy.http}/api/v1/docs", headers={"host": "elsewhere.example.com"})
    assert response.status_code == 301
    assert response.headers["location"] == "https://chat.example.com/api/v1/docs"


def test_its_limits_are_no_narrower_than_the_applications() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    default = re.search(r"-(\d+)m\}", compose["services"]["nginx"]["environment"]["MAX_BODY"])
    assert default
    multipart = django_settings.MAX_UPLOAD_BYTES + MULTIPART_OVERHEAD
    assert int(default[1]) * 2**20 >= max(multipart, django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    admin = re.search(r"location /admin/ \{[^}]*client_max_body_size (\d+)m;", TEMPLATE)
    assert admin
    assert int(admin[1]) * 2**20 >= 20 * multipart
    timeout = re.search(r"proxy_read_timeout (\d+)s;", TEMPLATE)
    assert timeout
    assert int(timeout[1]) > django_settings.LLM_TURN_SECONDS + 60
