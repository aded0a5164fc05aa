"""What `make bench` prints: a row a side, and each beside the reference, round by round."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.timing import Spread

from .sides import FLOOR, OURS, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .scenarios import Round, Scenario


def head() -> Iterator[str]:
    yield "| scenario | | a second | p50 ms | p95 ms | CPU ms | times the rate | times the CPU | |"
    yield "|---|---|---|---|---|---|---|---|---|"


def rows(scenario: Scenario, found: Mapping[str, Sequence[Round]]) -> Iterator[str]:
    """A row a side. Ratios are of paired rounds: their median and quartiles."""
    reference = found.get(REFERENCE)
    for name in (OURS, REFERENCE, FLOOR):
        if name not in found:
            continue
        rounds = found[name]
        seconds = Spread.of([second * 1000 for one in rounds for second in one.seconds] or [float("nan")])
        ratios = ("", "")
        if name != REFERENCE and reference:
            ratios = (
                _ratio([a.rate / b.rate for a, b in zip(rounds, reference, strict=True) if b.rate]),
                _ratio([a.cpu_ms / b.cpu_ms for a, b in zip(rounds, reference, strict=True) if b.cpu_ms and b.rate]),
            )
        yield (
            f"| {scenario.name} | {name} | {median(one.rate for one in rounds):.1f} | {seconds.median:.1f} "
            f"| {seconds.p95:.1f} | {_cpu(rounds):.2f} | {ratios[0]} | {ratios[1]} | {_notes(rounds, found)} |"
        )


def _cpu(rounds: Sequence[Round]) -> float:
    return sum(one.cpu for one in rounds) / max(1, sum(len(one.seconds) for one in rounds)) * 1000


def _notes(rounds: Sequence[Round], found: Mapping[str, Sequence[Round]]) -> str:
    notes = []
    if any(one.first for one in rounds) and "provider" in found:
        added = [
            (median(one.first) - median(direct.first)) * 1000
            for one, direct in zip(rounds, found["provider"], strict=True)
        ]
        spread = Spread.of(added)
        notes.append(f"first token +{spread.median:.1f} ms ({spread.low:.1f}–{spread.high:.1f})")
    errors = sum((one.errors for one in rounds), Counter[str]())
    notes += [f"{count} errors: {text}" for text, count in errors.most_common(3)]
    return "; ".join(notes)


def _ratio(figures: Sequence[float]) -> str:
    if not figures:
        return "–"
    spread = Spread.of(figures)
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})"
