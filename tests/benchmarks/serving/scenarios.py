"""What is asked, by how many clients, and what came of it."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import orjson

from . import rows
from .sides import FLOOR, OURS, REFERENCE, Refused, Side
from .wire import Client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from .processes import Server
    from .wire import Answer

    Ask = Callable[[Side, Client, int], Awaitable[Answer]]

SETTLING_SECONDS = 0.1  # what a server does after its last answer is its own, too
TICKS_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Scenario:
    """Clients that each ask for one thing again and again.

    Attributes:
        wait, gap: seconds that the provider takes before its answer, and between the tokens of a stream.
        each: requests of a client; None for as long as the round goes.
        sides: who is asked; the reference would take minutes for some.
    """

    name: str
    clients: int
    ask: Ask
    wait: float = 0.0
    gap: float = 0.0
    each: int | None = None
    sides: tuple[str, ...] = (OURS, REFERENCE)


@dataclass(slots=True)
class Round:
    """One side under load for some seconds; `first` holds the times to the first token of streams."""

    wall: float = 0.0
    cpu: float = 0.0
    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.wall

    @property
    def cpu_ms(self) -> float:
        """Of the server, an answer."""
        return self.cpu / max(1, len(self.seconds)) * 1000


def scenarios() -> Iterator[Scenario]:
    """All there are, in the order of docs/benchmarks.md."""
    yield Scenario("S0 who am I, 16 clients", 16, Side.who_am_i, sides=(OURS,))
    for clients in (1, 16, 64):
        yield Scenario(f"S1 start, {clients} clients", clients, Side.start, sides=(OURS, REFERENCE, FLOOR))
    for messages in (20, 200, 5_000):
        ask = partial(Side.add, messages=messages)
        yield Scenario(
            f"S2 add to {messages:,}, 16 clients", 16, ask, sides=(OURS,) if messages > 1_000 else (OURS, REFERENCE)
        )
    for user, owned in ((rows.SMALL, "1,000"), (rows.LARGE, "many")):
        yield Scenario(f"S3 list, owner of {owned}, 4 clients", 4, partial(Side.list, user=user))
    yield Scenario("S4 read 100 messages, 4 clients", 4, partial(Side.read, messages=100))
    yield Scenario("S5 provider takes 1 s, 200 clients", 200, Side.start, wait=1.0, each=2)
    for clients in (1, 16):
        yield Scenario(f"S6 stream, {clients} clients", clients, Side.stream, wait=0.05, gap=0.005)


async def run(scenario: Scenario, side: Side, provider: Server, *, seconds: float, numbers: Iterator[int]) -> Round:
    """Put one side under load; every connection is opened and used once before."""
    await _behave(provider, wait=scenario.wait if scenario.each is None else 0.0, gap=scenario.gap)
    clients = [Client(side.server.port) for _ in range(scenario.clients)]
    done = Round()
    await asyncio.gather(*(_ask(scenario, side, client, Round(), numbers) for client in clients))
    await _behave(provider, wait=scenario.wait, gap=scenario.gap)
    gc.collect()
    gc.disable()
    before, began = side.server.cpu_seconds, time.perf_counter()
    until = began + (seconds if scenario.each is None else 120)

    async def keep_asking(client: Client) -> None:
        for _ in itertools.count() if scenario.each is None else range(scenario.each):
            await _ask(scenario, side, client, done, numbers)
            if time.perf_counter() > until:
                return

    await asyncio.gather(*map(keep_asking, clients))
    done.wall = time.perf_counter() - began
    await asyncio.sleep(SETTLING_SECONDS)
    done.cpu = side.server.cpu_seconds - before
    gc.enable()
    for client in clients:
        client.close()
    return done


async def _ask(scenario: Scenario, side: Side, client: Client, done: Round, numbers: Iterator[int]) -> None:
    try:
        answer = await scenario.ask(side, client, next(numbers))
    except (OSError, Refused) as exc:
        done.errors[f"{type(exc).__name__}: {exc}"[:160]] += 1
        await asyncio.sleep(0.05)
        return
    done.seconds.append(answer.seconds)
    if answer.mark_seconds is not None:
        done.first.append(answer.mark_seconds)


async def first_token_at_the_provider(provider: Server, *, clients: int, times: int) -> list[float]:
    """The same stream, asked for without a service in between."""
    body = orjson.dumps({"model": "direct", "messages": [], "stream": True})
    seconds = []
    everyone = [Client(provider.port) for _ in range(clients)]
    for _ in range(times):
        answers = await asyncio.gather(
            *(one.ask("POST", "/openai/v1/chat/completions", body=body, mark=b'"content":"Nothing') for one in everyone)
        )
        seconds += [answer.mark_seconds for answer in answers if answer.mark_seconds is not None]
    for one in everyone:
        one.close()
    return seconds


async def _behave(provider: Server, *, wait: float, gap: float) -> None:
    client = Client(provider.port)
    await client.ask("POST", "/behaviour", body=orjson.dumps({"wait": wait, "gap": gap}))
    client.close()
