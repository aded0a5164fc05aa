"""An HTTP client whose timeout is for the whole call.

httpx applies a timeout to each read by itself, so a body that comes byte by byte may take for ever (encode/httpx#1450).
It hands what stands under `timeout` in a request's extensions down to the socket unread. So a `Patience` is put there,
and a network backend turns it into what is left of it, at every connect, handshake, read and write.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import httpcore
import httpx

from .deadline import Deadline
from .elsewhere import elsewhere

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from .deadline import Cancellation

CONNECT_SECONDS = 5.0  # for each address that the name has; a host that answers at all does so sooner
KEEPALIVE_SECONDS = 30.0  # a new connection costs a TLS handshake; httpx's own 5 s is shorter than a user's pause


@dataclass(slots=True)
class Patience:
    """How long a call is waited for; its deadline may be moved while it runs, as when a stream has begun.

    Attributes:
        silence: seconds that a single read may take.
        rest: seconds before a read in which more may come, so that a stream's pieces are read several at once.
        cancellation: ends a read that waits.
    """

    deadline: Deadline
    silence: float = math.inf
    rest: float = 0.0
    cancellation: Cancellation | None = None

    def left(self, *, error: type[httpcore.TimeoutException], at_most: float = math.inf) -> float:
        """Seconds for the next operation on the socket; raises `error` when there are none."""
        left = min(self.deadline.remaining, self.silence, at_most)
        if left <= 0:
            raise error("The deadline has passed.")
        return left

    def interrupting(self, interrupt: Callable[[], None]) -> AbstractContextManager[None]:
        return self.cancellation.interrupting(interrupt) if self.cancellation else nullcontext()


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)


@contextmanager
def waiting(patience: Patience) -> Iterator[None]:
    """Within it, this thread's calls are waited for so long, instead of for what stands in their timeout."""
    token = _patience.set(patience)
    try:
        yield
    finally:
        _patience.reset(token)


def make_client(*, max_connections: int) -> httpx.Client:
    """A client with httpx's own defaults for TLS and for proxies from the environment; it follows no redirect.

    A call's timeout counts from its start and includes the wait for a free connection. Resolving the name is the
    system's affair and comes on top.
    """
    client = httpx.Client(
        limits=httpx.Limits(max_connections=max_connections, keepalive_expiry=KEEPALIVE_SECONDS),
        event_hooks={"request": [_start_the_clock]},
    )
    client._cookies = _NoCookies()
    # httpx has no argument for the backend. Building its transports ourselves would mean to read the proxies ourselves.
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Backend()
    return client


class Closable(Protocol):
    def close(self) -> None: ...


Client = TypeVar("Client", bound=Closable)


class PerProcess(Generic[Client]):
    """The process's one client. It is made when first asked for, and anew after a fork: sockets are not shared."""

    def __init__(self, build: Callable[[], Client]) -> None:
        self._build = build
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._client: Client | None = None
        self._lock = threading.Lock()  # the old one may have been held by a thread that the fork did not copy

    def get(self) -> Client:
        """The client; raises what building it raises."""
        with self._lock:
            if self._client is None:
                self._client = self._build()
            return self._client

    def close(self) -> None:
        """Close its connections; the next that is asked for is a new one."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a response asks to wait (RFC 9110, 10.2.3: a number or a date); None when it asks for none."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _start_the_clock(request: httpx.Request) -> None:
    seconds = request.extensions["timeout"]["read"]
    patience = _patience.get() or Patience(Deadline.after(seconds))
    timeouts = {"pool": seconds, "connect": patience, "read": patience, "write": patience}
    request.extensions = {**request.extensions, "timeout": timeouts}


def _left(
    timeout: Patience | float | None, *, error: type[httpcore.TimeoutException], at_most: float = math.inf
) -> float | None:
    return timeout.left(error=error, at_most=at_most) if isinstance(timeout, Patience) else timeout


class _NoCookies(httpx.Cookies):
    """Keeps none: what a balancer in front of a provider sets for one user's call is not for the next one's."""

    def extract_cookies(self, response: httpx.Response) -> None:
        pass


class _Backend(httpcore.SyncBackend):
    """Opens connections that keep deadlines."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Patience | float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, error=httpcore.ConnectTimeout, at_most=CONNECT_SECONDS)
        with elsewhere():
            return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    """A connection that gives every operation what is left until the deadline of the call it serves."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: Patience | float | None = None) -> bytes:
        if not isinstance(timeout, Patience):
            return self._stream.read(max_bytes, timeout)
        if timeout.rest and not self._has_more():
            with elsewhere():
                time.sleep(timeout.rest)
        left = timeout.left(error=httpcore.ReadTimeout)
        with elsewhere(), timeout.interrupting(self._end_reading):
            return self._stream.read(max_bytes, left)

    def _has_more(self) -> bool:
        """Whether a read would not wait: TLS gives one record at a time, so after a rest there may be many."""
        return bool(self._stream.get_extra_info("is_readable"))

    def write(self, buffer: bytes, timeout: Patience | float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, error=httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: Patience | float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, error=httpcore.ConnectTimeout)
        with elsewhere():
            return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def _end_reading(self) -> None:
        """Wake the thread that reads, which closing the descriptor would not. TLS's own shutdown would wait for it."""
        with suppress(OSError):
            socket.socket.shutdown(self._stream.get_extra_info("socket"), socket.SHUT_RDWR)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
