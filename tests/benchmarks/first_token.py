"""`make bench-streams`: what a stream through the service adds to the time of the provider's first token.

Provider and service are asked in turn, in one run, so that the machine's moods meet both.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import httpx

from tests.provider_server import PROVIDER_KEY, ProviderServer, writes
from tests.service.running import Service, running

ROUNDS = 40
CLIENTS = (1, 16)
FIRST_TOKEN_SECONDS = 0.05


def main() -> None:
    with ProviderServer() as provider, tempfile.TemporaryDirectory() as folder:
        provider.always(writes("Hello ", *["word "] * 29, after=FIRST_TOKEN_SECONDS))
        settings = {"GROQ_API_KEY": PROVIDER_KEY, "GROQ_BASE_URL": provider.url, "LLM_CHAIN": "groq/small"}
        with running(Path(folder), **settings) as service:
            _print(
                f"{os.cpu_count()} cores; the provider's first token comes after {FIRST_TOKEN_SECONDS * 1000:.0f} ms"
            )
            _print("| clients | provider, p50 ms | service, p50 ms | added, p50 ms | added, quartiles |")
            _print("|---|---|---|---|---|")
            for clients in CLIENTS:
                _print(_row(provider, service, clients=clients))


def _row(provider: ProviderServer, service: Service, *, clients: int) -> str:
    direct: list[float] = []
    through: list[float] = []
    with ThreadPoolExecutor(clients) as pool:
        sessions = [httpx.Client(timeout=30) for _ in range(clients)]
        for _ in range(ROUNDS):
            direct.append(median(pool.map(lambda session: _at_the_provider(session, provider), sessions)))
            through.append(median(pool.map(lambda session: _through_the_service(session, service), sessions)))
    added = [after - before for before, after in zip(direct, through, strict=True)]
    low, _, high = quantiles(added, n=4)
    return (
        f"| {clients} | {median(direct) * 1000:.1f} | {median(through) * 1000:.1f} | {median(added) * 1000:.1f} "
        f"| {low * 1000:.1f}–{high * 1000:.1f} |"
    )


def _at_the_provider(session: httpx.Client, provider: ProviderServer) -> float:
    body = {"model": "small", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return _until(session, f"{provider.url}/openai/v1/chat/completions", body, sign='"content": "Hello')


def _through_the_service(session: httpx.Client, service: Service) -> float:
    body = {"first_message": "Hi", "stream": True}
    return _until(session, f"{service.url}/api/v1/conversations", body, sign='"text":"Hello')


def _until(session: httpx.Client, url: str, body: object, *, sign: str) -> float:
    began = time.perf_counter()
    with session.stream("POST", url, json=body) as response:
        seen = [time.perf_counter() - began for line in response.iter_lines() if sign in line]
    return seen[0]


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
