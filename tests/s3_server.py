"""A bucket on loopback that speaks as much of S3 as storing files takes, over real sockets."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

COMPLETE = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"


@dataclass
class Upload:
    """A file that arrives in parts."""

    parts: dict[int, bytes] = field(default_factory=dict)


class Request(BaseHTTPRequestHandler):
    """One request; who does not sign with AWS's fourth version gets 403."""

    protocol_version = "HTTP/1.1"
    server: S3Server

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        parts = urlsplit(self.path)
        self.name, self.query = parts.path, parse_qs(parts.query, keep_blank_values=True)
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.command, self.name))
        if self.server.trouble == "away":
            self.close_connection = True
            return False
        if self.server.trouble == "refusing" or not self.headers.get("authorization", "").startswith(
            "AWS4-HMAC-SHA256"
        ):
            self.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            return False
        return True

    def do_PUT(self) -> None:
        if "uploadId" in self.query:
            self.server.uploads[self.query["uploadId"][0]].parts[int(self.query["partNumber"][0])] = self.body
        else:
            self.server.objects[self.name] = self.body
        self.answer(200)

    def do_POST(self) -> None:
        if "uploads" in self.query:
            key = uuid4().hex
            self.server.uploads[key] = Upload()
            start = f"<InitiateMultipartUploadResult><UploadId>{key}</UploadId></InitiateMultipartUploadResult>"
            self.answer(200, start.encode())
        else:
            parts = self.server.uploads.pop(self.query["uploadId"][0]).parts
            self.server.objects[self.name] = b"".join(parts[number] for number in sorted(parts))
            self.answer(200, COMPLETE.encode())

    def do_GET(self) -> None:
        content = self.server.objects.get(self.name)
        if content is None:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif asked := self.headers.get("range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            end = min(int(last), len(content) - 1) if last else len(content) - 1
            self.answer(206, content[int(first) : end + 1], **{"content-range": f"bytes {first}-{end}/{len(content)}"})
        else:
            self.answer(200, content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.name, None)
        self.answer(204)

    def answer(self, code: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in {"etag": '"x"', "content-length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class S3Server(ThreadingHTTPServer):
    """A context manager that serves while it is open; `objects` by path, bucket first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.seen: list[tuple[str, str]] = []
        self.trouble = ""  # "refusing", or "away"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()
