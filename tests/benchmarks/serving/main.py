"""Starts a provider, the service, a reference and a floor, loads them in turn, and prints Markdown."""

from __future__ import annotations

import itertools
import logging
import signal
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import uvloop

from tests.benchmarks.databases import SQLITE
from tests.benchmarks.report import machine

from . import report, rows, scenarios, sides
from .processes import served

if TYPE_CHECKING:
    from argparse import Namespace

    from .processes import Server
    from .scenarios import Round, Scenario
    from .sides import Side

PACKAGES = "Django djangorestframework gunicorn groq httpx orjson fastapi SQLAlchemy uvicorn pydantic"


def main() -> None:
    options = _options()
    logging.disable(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    stocked = rows.everything(large=options.large)
    chosen = [one for one in scenarios.scenarios() if any(one.name.startswith(key) for key in options.only or [""])]
    with TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folder = Path(name)
        module = "tests.benchmarks.serving.provider"
        provider = stack.enter_context(served("provider", "-m", module, "{port}", environment={}, folder=folder))
        settings = dict(pair.split("=", 1) for pair in options.set)
        all_sides = [stack.enter_context(sides.ours(folder, rows=stocked, provider=provider, **settings))]
        if not options.alone:
            all_sides.append(stack.enter_context(sides.reference(folder, rows=stocked, provider=provider)))
            all_sides.append(stack.enter_context(sides.floor(folder, provider=provider)))
        if options.serve:
            _print(
                *(f"{side.server.name} {side.server.process.pid} {side.server.port} {side.keys}" for side in all_sides)
            )
            input()
            return
        _print(*report.head())
        for scenario in chosen:
            found = uvloop.run(_race(scenario, all_sides, provider, rounds=options.rounds, seconds=options.seconds))
            _print(*report.rows(scenario, found))
        _print("", *(f"{side.server.name}: {side.server.memory_mib:.0f} MiB PSS at the end" for side in all_sides))
        _print("", *machine([SQLITE], packages=PACKAGES))


async def _race(
    scenario: Scenario, all_sides: list[Side], provider: Server, *, rounds: int, seconds: float
) -> dict[str, list[Round]]:
    """Every side in every round, another one first each time."""
    found: dict[str, list[Round]] = {}
    numbers = {side.server.name: itertools.count() for side in all_sides}
    for number in range(rounds):
        for side in all_sides if number % 2 else all_sides[::-1]:
            if side.server.name not in scenario.sides:
                continue
            name = side.server.name
            done = await scenarios.run(scenario, side, provider, seconds=seconds, numbers=numbers[name])
            found.setdefault(name, []).append(done)
        if scenario.gap:  # a stream
            direct = await scenarios.first_token_at_the_provider(provider, clients=scenario.clients, times=20)
            found.setdefault("provider", []).append(scenarios.Round(first=direct))
    return found


def _options() -> Namespace:
    parser = ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", action="append", help='scenarios that begin so: --only S2 --only "S1 start, 16"')
    parser.add_argument("--rounds", type=int, default=6, help="of each scenario (%(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="a round (%(default)s)")
    parser.add_argument("--large", type=int, default=100_000, help="conversations of the owner of many (%(default)s)")
    parser.add_argument("--alone", action="store_true", help="without the reference and the floor")
    parser.add_argument("--set", action="append", default=[], help="a setting of the service: WEB_THREADS=128")
    parser.add_argument("--serve", action="store_true", help="start everything and wait for Enter")
    return parser.parse_args()


def _print(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
