"""Fills an empty and a large store, calls both in turn, and prints what was measured as Markdown."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tqdm import tqdm

from tests.benchmarks.timing import WARM_UP, Spread
from tests.provider_server import ProviderServer

from . import deleting, stores
from .calls import ADMIN, READS, WRITES, Call, get, next_page, page
from .sides import Side, caller, side

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

Contender = tuple[Side, Call]
LIST, STRETCH, CONTEXT = READS[0], "/conversations/{}/messages", "/conversations/{}/context"


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        pattern = options.stores or stack.enter_context(stores.server())
        small, large = pattern.format("small"), pattern.format("large")
        folder = Path(stack.enter_context(TemporaryDirectory()))
        if not options.stores:
            began = time.perf_counter()
            stores.fill(small, folder / "seed")
            stores.fill(large, folder / "seed", options)
            _print(f"Filled in {time.perf_counter() - began:.0f} s.\n")
        provider = stack.enter_context(ProviderServer())
        empty, full = (
            stack.enter_context(side(stores.opened(url), folder / name, provider=provider.url))
            for name, url in (("small", small), ("large", large))
        )
        of_few = stores.few(large)
        api = stack.enter_context(caller(of_few, str(full.api.base_url)))
        other = replace(full, store=of_few, api=api)
        _measure(options, empty, full, other)
        if "deleting" in options.parts:
            _print("\n## Deleting\n", *deleting.report(full, other, span=options.purge))


def _measure(options: Namespace, small: Side, large: Side, other: Side) -> None:
    _print(f"| rows | {' | '.join(TABLES)} |", f"|---|{'---|' * len(TABLES)}")
    for name, one in (("empty", small), ("large", large)):
        counts = (stores.execute(one.store.url, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES)
        _print(f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |")
    if "alone" in options.parts:
        _print("\n## In the large store alone\n", *HEAD_ALONE)
        for name, goal, first, second in _pairs(large, other):
            _print(_row(name, [first, second], rounds=options.rounds) + f" {goal} |")
    for part, calls in BESIDE.items():
        if part not in options.parts:
            continue
        _print(f"\n## {part.capitalize()}: large beside empty\n", *HEAD)
        for call in tqdm(calls, desc=part, leave=False):
            _print(_row(f"`{call.name}`", [(large, call), (small, call)], rounds=options.rounds))


BESIDE = {"reads": READS, "writes": WRITES, "admin": ADMIN}
PARTS = ("alone", *BESIDE, "deleting")
TABLES = ("users", "conversations", "messages", "llm_calls")
HEAD = ["| | large p50 ms | p95 | empty p50 ms | p95 | ratio, median (quartiles) |", "|---|---|---|---|---|---|"]
HEAD_ALONE = [
    "| | p50 ms | p95 | beside p50 ms | p95 | ratio, median (quartiles) | goal |",
    "|---|---|---|---|---|---|---|",
]


def _pairs(large: Side, other: Side) -> list[tuple[str, str, Contender, Contender]]:
    """(what, the goal, and the two to compare); the first is the one that must not be slower."""
    long, short = (STRETCH.format(f"{{{name}}}") for name in ("long", "conversation"))
    middle = large.store.ids["middle"]
    pages = large.get("/conversations").json()["total"] // 20
    deep, first = (next_page(large, page=number) for number in (pages // 2, 1))
    follow = Call("the next page", lambda one, link: one.api.get(link))
    return [
        ("list: owner of many / of few", "1.5", (large, LIST), (other, LIST)),
        (
            "list: a page in the middle / the second, by link",
            "1.2",
            (large, replace(follow, prepare=lambda _: deep)),
            (large, replace(follow, prepare=lambda _: first)),
        ),
        ("list: the page in the middle / the second, by number", "", *_numbered(large, pages // 2)),
        (
            "what would be sent: long / 200 messages",
            "1.1",
            (large, get(CONTEXT.format("{long}"), message="Hello")),
            (large, get(CONTEXT.format("{conversation}"), message="Hello")),
        ),
        (
            "send: long / 200 messages",
            "1.1",
            (large, Call("", lambda one, _: one.call("POST", long, json={"message": "And?"}))),
            (large, Call("", lambda one, _: one.call("POST", short, json={"message": "And?"}))),
        ),
        ("newest stretch: long / 200 messages", "1.1", (large, get(long)), (large, get(short))),
        (
            "stretch of the long one: in the middle / newest",
            "1.2",
            (large, get(long, before=middle)),
            (large, get(long)),
        ),
        (
            "the admin's conversations: page 20 / 1",
            "",
            (large, page("conversations/conversation/", p=20)),
            (large, page("conversations/conversation/")),
        ),
    ]


def _numbered(large: Side, number: int) -> tuple[Contender, Contender]:
    return (large, get("/conversations", page=number)), (large, get("/conversations", page=2))


def _row(name: str, contenders: Sequence[Contender], *, rounds: int) -> str:
    first, second = _race(contenders, rounds=rounds)
    ratio = Spread.of([a / b for a, b in zip(first, second, strict=True)])
    figures = " | ".join(f"{one.median:.1f} | {one.p95:.1f}" for one in map(Spread.of, (first, second)))
    return f"| {name} | {figures} | {ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f}) |"


def _race(contenders: Sequence[Contender], *, rounds: int) -> list[list[float]]:
    """The milliseconds of each, called in turn, another one first each time."""
    times: list[list[float]] = [[] for _ in contenders]
    for number in range(rounds + WARM_UP):
        for place in range(len(contenders)):
            turn = (number + place) % len(contenders)
            one, call = contenders[turn]
            prepared = call.prepare(one)
            began = time.perf_counter()
            call.run(one, prepared)
            times[turn].append((time.perf_counter() - began) * 1000)
    return [figures[WARM_UP:] for figures in times]


def _options() -> Namespace:
    parser = ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--users", type=int, default=10_000, help="(%(default)s)")
    parser.add_argument("--conversations", type=int, default=30_000, help="of all of them (%(default)s)")
    parser.add_argument("--messages", type=int, default=120_000, help="in these (%(default)s)")
    parser.add_argument("--owned", type=int, default=5_000, help="conversations of one user more (%(default)s)")
    parser.add_argument("--long", type=int, default=2_000, help="messages in one conversation (%(default)s)")
    parser.add_argument("--rounds", type=int, default=11, help="calls of each (%(default)s)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (all)")
    parser.add_argument("--purge", default="330d", help="the age from which to purge at the end (%(default)s)")
    parser.add_argument(
        "--stores", default="", help="an address with {} for `small` and `large`, filled by an earlier run"
    )
    return parser.parse_args()


def _print(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
