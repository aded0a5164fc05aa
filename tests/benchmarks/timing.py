"""Times rivals on the same questions in turn, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WARM_UP = 2  # tasks at the beginning that are not counted

Task = TypeVar("Task")


@dataclass(frozen=True, slots=True)
class Rival(Generic[Task]):
    """Something that does a task.

    Attributes:
        beside: the rival of ours that it is compared with, by name.
    """

    name: str
    run: Callable[[Task], object]
    beside: str


@dataclass(frozen=True, slots=True)
class Spread:
    """The least of some figures, their quartiles, and the 95th percentile."""

    least: float
    low: float
    median: float
    high: float
    p95: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        return cls(*np.percentile(figures, [0, 25, 50, 75, 95]).tolist())


def race(rivals: Sequence[Rival[Task]], tasks: Sequence[Task], *, label: str) -> dict[str, list[float]]:
    """The milliseconds of every rival on every task but the first few; another one begins each time."""
    times: dict[str, list[float]] = {rival.name: [] for rival in rivals}
    for number, task in enumerate(tqdm(tasks, desc=label, leave=False)):
        turn = number % len(rivals)
        for rival in (*rivals[turn:], *rivals[:turn]):
            begun = time.perf_counter()
            rival.run(task)
            times[rival.name].append((time.perf_counter() - begun) * 1000)
    return {name: figures[WARM_UP:] for name, figures in times.items()}


def ratios(rivals: Sequence[Rival[Task]], times: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """How many times as long as the one beside it each rival took, task by task."""
    return {
        rival.name: Spread.of([a / b for a, b in zip(times[rival.name], times[rival.beside], strict=True)])
        for rival in rivals
    }
