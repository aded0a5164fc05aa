"""How limits are written in settings: `600/minute`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in each span of `seconds`."""

    calls: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The rate that `text` says; None for an empty one.

        Raises:
            ValueError: it says none.
        """
        if not text.strip():
            return None
        match = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(second|minute|hour|day)\s*", text)
        if match is None or int(match[1]) == 0:
            raise ValueError(f"{text!r} is not a limit such as 600/minute, or 10 a second, hour or day.")
        return cls(int(match[1]), SECONDS[match[2]])
