"""Gives memory back to the system after work on a large document."""

from __future__ import annotations

import ctypes
from typing import Final

LARGE: Final = 1_000_000  # characters; what less leaves behind is soon used again


def give_back_memory(*, after: int) -> None:
    """Have the C library return what it has freed; without this a process stays as large as its largest document.

    Only glibc can be told to. Other libraries either do so by themselves or cannot.

    Args:
        after: characters of the document that was worked on.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim and after >= LARGE:
        trim(0)
