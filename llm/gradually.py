"""Shows an answer while it is written, as it may be shown: what a client has on its screen is always a checked text.

What is checked can change with what follows: `[1` may become a citation or a link. So what is not yet decided is held
back, mostly for a word or a line. Should an earlier part change all the same, the text is begun anew.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, Protocol

from .answers import settled
from .markdown import parts
from .neutral import visible
from .urls import URL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import Passage

PAUSE_SECONDS: Final = 0.04  # between two checks of a text whose end is not plain

# A whole mark and what shows that it is no link; the beginning of a construct that may change to the end of its line; a
# word that may turn out to be a URL or an entity.
SETTLED_MARK = re.compile(r"[\[【]\d{1,3}(?:\s*[,;]\s*\d{1,3})*(?:†[^】\n]*)?[\]】](?=[^(\[【:\n])|!(?=\s)")
UNDECIDED = re.compile(r"[\[【<`~\\!]")
OPEN_WORD = re.compile(r"\S*[.:/@&]\S*$|\w+$(?<=www)")
PLAIN = re.compile(r"[\w ,;'\"?-]*")


class Screen(Protocol):
    """Where an answer is shown."""

    def show(self, text: str) -> None: ...

    def restart(self) -> None: ...


class Shown:
    """What of an answer is on the screen, and what is held back.

    Args:
        passages: what was sent to answer from; None in open mode.
    """

    def __init__(self, screen: Screen, *, passages: Sequence[Passage] | None) -> None:
        self._screen = screen
        self._passages = passages
        self._pieces: list[str] = []
        self._pending = ""  # since the last check
        self._is_plain = True  # nothing is held back, and no block of code is open
        self._checked_at = 0.0
        self.text = ""

    @property
    def raw(self) -> str:
        """Everything that the model wrote."""
        return "".join(self._pieces)

    def add(self, text: str) -> None:
        """Take what was written next, and show what is decided by it."""
        self._pieces.append(text)
        self._pending += text
        if self._is_plain and PLAIN.fullmatch(self._pending) and visible(self._pending) == self._pending:
            # The white space at its end waits: it goes when a mark that goes follows.
            shown = self._pending.rstrip()
            self._pending = self._pending[len(shown) :]
            self._show(shown)
            return
        now = time.monotonic()
        if now - self._checked_at < PAUSE_SECONDS and "\n" not in text:
            self._is_plain = False
            return
        self._checked_at = now
        raw = self.raw
        decided = raw[: _decided(raw)].rstrip()
        self._replace(_without_added_fence(settled(decided, passages=self._passages).text, decided))
        self._pending = raw[len(decided) :]
        self._is_plain = not self._pending.strip() and "`" not in decided and "~~~" not in decided

    def restart(self) -> None:
        """Begin anew: another answer takes this one's place."""
        self._pieces.clear()
        self._pending, self._is_plain = "", True
        if self.text:
            self.text = ""
            self._screen.restart()

    def finish(self, text: str) -> None:
        """Show the whole answer, as it was checked in the end."""
        self._replace(text)

    def _replace(self, text: str) -> None:
        if not text.startswith(self.text):
            if self.text.startswith(text):
                return  # more of it has been shown than is decided
            self.text = ""
            self._screen.restart()
        self._show(text[len(self.text) :])

    def _show(self, text: str) -> None:
        if text:
            self.text += text
            self._screen.show(text)


def _decided(raw: str) -> int:
    """How much of a text nothing that follows is likely to change: whole lines, and of the last one what is plain."""
    line = raw.rfind("\n") + 1
    end = len(raw)
    position = line
    while undecided := UNDECIDED.search(raw, position):
        if mark := SETTLED_MARK.match(raw, undecided.start()):
            position = mark.end()
            continue
        end = undecided.start()
        break
    if url := URL.search(raw, line, end):
        end = url.start()  # it stays if its passage is cited, mostly at the end of the sentence
    word = OPEN_WORD.search(raw, line, end)
    return word.start() if word else end


def _without_added_fence(text: str, raw: str) -> str:
    """The text without the fence that checking puts behind a block of code that is still being written."""
    found = parts(raw)
    if len(found) == 1 or found[-1].text or not found[-2].is_code:
        return text
    last_line = found[-2].text.rsplit("\n", 1)[-1]
    return text if raw.endswith(last_line) else text[: text.rfind("\n")]
