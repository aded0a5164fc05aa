"""Traces and error reports leave a real gunicorn for servers on loopback, without a word of what was written."""

from __future__ import annotations

import gzip
import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.provider_server import PROVIDER_KEY, ProviderServer, reply
from tests.service.running import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "the secret of the lighthouse"


class Collector(ThreadingHTTPServer):
    """Takes whatever is posted: `bodies` by path, unpacked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Posted)
        self.bodies: list[tuple[str, bytes]] = []

    def wait_for(self, arrived: Callable[[list[bytes]], bool]) -> list[bytes]:
        """The bodies, when there is what the caller waits for, or after some seconds."""
        deadline = time.monotonic() + 15
        while not arrived(self._found()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return self._found()

    def _found(self) -> list[bytes]:
        return [body for _, body in self.bodies]


class Posted(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        packed = self.headers.get("content-encoding") == "gzip"
        self.server.bodies.append((self.path, gzip.decompress(body) if packed else body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def ask(url: str) -> None:
    body = json.dumps({"first_message": SECRET}).encode()
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/conversations", body, headers))


def test_a_turn_is_one_trace_from_the_request_to_the_call_of_the_model(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.instrumentation.django")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    def spans(bodies: list[bytes]) -> dict[str, bytes]:
        """The trace of each span, by the span's name."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
        return {
            span.name: span.trace_id
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }

    with collecting() as collector, ProviderServer() as groq:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "GROQ_API_KEY": PROVIDER_KEY,
            "GROQ_BASE_URL": groq.url,
        }
        groq.always(reply(SECRET))
        with running(tmp_path, **settings) as service:
            ask(service.url)
            bodies = collector.wait_for(lambda bodies: {"POST api/v1/conversations", "POST"} <= spans(bodies).keys())
            assert service.stop() == 0
        found = spans(bodies)
        assert found["POST api/v1/conversations"] == found["POST"]
        assert "traceparent" in {name.lower() for name in groq.requests[0].headers}
        assert not [name for name in found if "health" in name]
        assert {path for path, _ in collector.bodies} == {"/v1/traces"}
        assert SECRET.encode() not in b"".join(bodies)
        assert b"botgpt" in bodies[0]


def test_an_unexpected_error_is_reported_without_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("sentry_sdk")
    with collecting() as collector, ProviderServer() as groq:
        settings = {
            "SENTRY_DSN": f"http://key@127.0.0.1:{collector.server_port}/1",
            "GROQ_API_KEY": PROVIDER_KEY,
            "GROQ_BASE_URL": groq.url,
            "LLM_CHAIN": "groq/small",
            "LLM_MAX_ATTEMPTS": "1",
        }
        groq.always(lambda connection: connection.answer(500, {"error": {"message": "no"}}))
        with running(tmp_path, **settings) as service:
            ask(service.url)
            bodies = collector.wait_for(lambda bodies: b"No model answered" in b"".join(bodies))
            assert service.stop() == 0
        sent = b"".join(bodies)
        assert b"No model answered" in sent
        assert b"AllProvidersFailed" in sent
        assert SECRET.encode() not in sent
