"""The way to Groq: certificates are checked, the environment's proxies and authorities are used, deadlines hold."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import pytest
import trustme

from llm import errors
from llm.providers import patience
from llm.providers.groq import Groq
from llm.types import Completion
from tests.llm.requests import chat_request
from tests.provider_server import ProviderServer, drip, reply, writes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure_groq(groq: ProviderServer, settings: Settings, authority: trustme.CA) -> Iterator[ProviderServer]:
    """Groq behind TLS, with a certificate of an authority that nobody knows yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ProviderServer(tls=context) as server:
        settings.GROQ_BASE_URL = server.url
        yield server


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The authority is the environment's, as a company's own often is."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def proxied(groq: ProviderServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    """A proxy that the environment names; it answers itself."""
    settings.GROQ_BASE_URL = "http://api.groq.test"
    monkeypatch.setenv("http_proxy", groq.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    return groq


def test_a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent(
    secure_groq: ProviderServer,
) -> None:
    with pytest.raises(errors.ProviderUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        Groq("small").complete(chat_request())

    assert secure_groq.requests == []


@pytest.mark.usefixtures("trusted")
def test_an_authority_of_the_environment_is_trusted(secure_groq: ProviderServer) -> None:
    secure_groq.will(reply("Encrypted."))

    assert Groq("small").complete(chat_request()).text == "Encrypted."


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("head_too", [False, True])
def test_a_deadline_holds_through_tls(secure_groq: ProviderServer, *, head_too: bool) -> None:
    secure_groq.will(drip(head_too=head_too))
    began = time.monotonic()

    with pytest.raises(errors.ProviderTimeout):
        Groq("small").complete(chat_request(seconds=0.4))

    assert time.monotonic() - began < 2


@pytest.mark.usefixtures("trusted")
def test_what_has_come_meanwhile_is_read_at_once(secure_groq: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "GATHER_SECONDS", 0.3)
    secure_groq.will(writes(*["word "] * 100))
    began = time.monotonic()

    *deltas, whole = Groq("small").stream(chat_request(seconds=20))

    assert len(deltas) == 100
    assert isinstance(whole, Completion)
    assert time.monotonic() - began < 10  # and not 100 rests


def test_the_environments_proxy_is_used(proxied: ProviderServer) -> None:
    assert Groq("small").complete(chat_request()).text == "Hello."

    assert proxied.requests[0].path == "http://api.groq.test/openai/v1/chat/completions"


def test_a_deadline_holds_through_a_proxy(proxied: ProviderServer) -> None:
    proxied.will(drip())
    began = time.monotonic()

    with pytest.raises(errors.ProviderTimeout):
        Groq("small").complete(chat_request(seconds=0.4))

    assert time.monotonic() - began < 2
