"""A command at a terminal, as a person meets it: a pseudo-terminal with keys to press and a screen to read."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.service.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 60
CTRL_C, CTRL_D = "\x03", "\x04"
# Makes the terminal the one whose Ctrl-C reaches the process, also where the tests run in the background of a shell,
# which has it ignored there; and becomes the command.
ON_ITS_OWN = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


class Terminal:
    """What a command shows, and where to type."""

    def __init__(self, process: subprocess.Popen[bytes], keys: int) -> None:
        self.process, self._keys, self.screen = process, keys, ""

    def type(self, text: str) -> None:
        os.write(self._keys, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until it ends: `input()` misses one that comes between its prompt and its wait for keys."""
        while self.process.poll() is None:
            self.type(CTRL_C)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)

    def wait_for(self, text: str) -> str:
        """The screen since the last wait, up to and with this text."""
        until = time.monotonic() + SECONDS
        while text not in self.screen:
            assert time.monotonic() < until, f"{text!r} did not come: {self.screen}"
            if not self._read():
                raise AssertionError(f"{text!r} did not come, and nothing more will: {self.screen}")
        before, found, self.screen = self.screen.partition(text)
        return before + found

    def wait_until_ended(self) -> tuple[int, str]:
        """The exit status, and the rest of the screen."""
        while self._read():
            pass
        return self.process.wait(timeout=SECONDS), self.screen

    def _read(self) -> bool:
        if not select.select([self._keys], [], [], SECONDS)[0]:
            return False
        try:
            piece = os.read(self._keys, 10_000)
        except OSError:  # Linux's way to say that the other side is closed
            return False
        self.screen += piece.decode(errors="replace")
        return bool(piece)


@contextmanager
def at_a_terminal(*arguments: str, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """`manage.py` with these arguments on a terminal of its own."""
    keys, screen = pty.openpty()
    termios.tcsetwinsize(screen, (40, 120))
    process = subprocess.Popen(
        [sys.executable, "-c", ON_ITS_OWN, "manage.py", *arguments],
        cwd=ROOT,
        env={"TERM": "xterm", **environment},
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    try:
        yield Terminal(process, keys)
    finally:
        process.kill()
        process.wait()
        os.close(keys)
