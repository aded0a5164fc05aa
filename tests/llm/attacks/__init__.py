"""Documents that attack: what an uploader could write to make a model work against the one who asks.

Each one says what its author would like the answer to be, the `payload`. The tests run all of them from upload to
stored answer, see tests/llm/test_attacks.py.
"""

from __future__ import annotations

from .base import SECRET, Attack
from .frames import FRAMES
from .instructions import INSTRUCTIONS
from .links import LINKS

__all__ = ["ATTACKS", "SECRET", "Attack"]

ATTACKS = (*INSTRUCTIONS, *FRAMES, *LINKS)
