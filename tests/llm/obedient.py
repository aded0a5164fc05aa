"""A model that obeys: whatever reaches it as an instruction is done, which no real model does as blindly.

Two readers of the prompt, and one that has been taken over whatever the prompt looks like.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.provider_server import chat_completion

from .attacks import Attack
from .attacks.base import ORDER

if TYPE_CHECKING:
    from tests.provider_server import Behaviour, Connection

HONEST = "Within thirty days [1]."
# Where a naive model believes that another speaker begins: the control tokens of the templates it was trained on.
SPEAKER = re.compile(
    r"<[|｜][^|｜\n]{1,40}[|｜]>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|</?(?:tool_call|function_calls?)>"
)
BEGIN, END = re.compile(r"BEGIN PASSAGE \d+ "), re.compile(r"END PASSAGE \d+ ")


def obeys(attack: Attack) -> Behaviour:
    """Reads the prompt naively and follows the first order outside of quotations; else answers honestly."""

    def behave(connection: Connection) -> None:
        messages = connection.received.body["messages"]
        connection.answer(200, chat_completion(attack.payload if ORDER in orders(messages) else HONEST))

    return behave


def is_taken_over(attack: Attack) -> Behaviour:
    """Answers what the attacker wants, whatever it is sent: the worst case."""

    def behave(connection: Connection) -> None:
        connection.answer(200, chat_completion(attack.payload))

    return behave


def orders(messages: list[dict[str, Any]]) -> str:
    """All that a naive model takes for instructions: what system and user say outside of quotations."""
    spoken = [message["content"] for message in messages if message["role"] in {"system", "user"}]
    return "\n".join(part for text in spoken for part in (*_unquoted(text), *_by_another_speaker(text), hidden(text)))


def _unquoted(text: str) -> list[str]:
    """The lines that stand in the margin, between or outside of passages, whatever code the marks carry.

    A line ends where anyone may think that it does.
    """
    found, inside = [], False
    for line in text.splitlines():
        quoted = line.startswith(">")
        if BEGIN.match(line.strip()) and not quoted:
            inside = True
        elif END.match(line.strip()) and not quoted:
            inside = False
        elif not (inside and quoted):
            found.append(line)
    return found


def _by_another_speaker(text: str) -> list[str]:
    return SPEAKER.split(text)[1:]


def hidden(text: str) -> str:
    """What stands in characters that no reader sees, as a model would read it."""
    letters = [chr(ord(char) - 0xE0000) for char in text if 0xE0000 < ord(char) < 0xE0080]
    selected = [
        chr(code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16)
        for code in map(ord, text)
        if 0xFE00 <= code < 0xFE10 or 0xE0100 <= code < 0xE01F0
    ]
    return "".join(letters) + "".join(selected)
