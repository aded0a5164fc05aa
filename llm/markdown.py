"""What is code in a Markdown text: there, nothing is a link, a tag or a citation.

Clients disagree about code that is not closed, or that ends in another quote or list than it began in. So a text is
made tidy: what is code here is then code to all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Behind what marks quotes and lists; the name of a language may follow.
OPENING = re.compile(
    r"(?P<prefix>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+[ \t>]*)*)(?P<fence>`{3,}|~{3,})"
    r"[ \t]*(?P<language>[\w+#.-]*)[^`]*"
)
# Between equal runs of backticks, in one line and one cell of a table.
INLINE = re.compile(r"(?<![`\\])(?P<ticks>`+)(?!`)[^|\n]+?(?<!`)(?P=ticks)(?!`)")
MARKER = re.compile(r"[-*+]|\d{1,9}[.)]")
BACKTICK = re.compile(r"\\*`")


@dataclass(frozen=True, slots=True)
class Part:
    """A block of code with its fences, or the text between two of them; whole lines, the last one's end included."""

    text: str
    is_code: bool


def parts(text: str) -> list[Part]:
    """The text in blocks of code and what stands between them: each block closed, each stray backtick escaped.

    Joined again they are the text, if it was tidy.
    """
    if "`" not in text and "~~~" not in text:
        return [Part(text, is_code=False)]
    found: list[Part] = []
    prose: list[str] = []
    lines = text.split("\n")
    position = 0
    while position < len(lines):
        if opening := OPENING.fullmatch(lines[position]):
            found.append(Part("".join(f"{line}\n" for line in prose), is_code=False))
            block, position = _block(opening, lines, position)
            found.append(Part("\n".join(block) + "\n" * (position < len(lines)), is_code=True))
            prose = []
        else:
            prose.append(_escaped(lines[position]))
            position += 1
    return [*found, Part("\n".join(prose), is_code=False)]


def code_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of the code in a tidy text, blocks and spans, in order."""
    spans, position = [], 0
    for part in parts(text):
        if part.is_code:
            spans.append((position, position + len(part.text)))
        else:
            spans += [(position + code.start(), position + code.end()) for code in INLINE.finditer(part.text)]
        position += len(part.text)
    return spans


def _block(opening: re.Match[str], lines: Sequence[str], position: int) -> tuple[list[str], int]:
    """The block that begins at a line, and where the text goes on.

    It ends with its closing fence, or where a line does not stand in the same quote or list any more.
    """
    prefix, fence = MARKER.sub(lambda marker: " " * len(marker[0]), opening["prefix"]), opening["fence"]
    closing = re.compile(rf"[ ]{{0,3}}{re.escape(fence)}{re.escape(fence[0])}*[ \t]*")
    block = [f"{opening['prefix']}{fence}{opening['language']}"]
    for at in range(position + 1, len(lines)):
        line = lines[at]
        if line.startswith(prefix) and closing.fullmatch(line, len(prefix)):
            return [*block, line], at + 1
        if not line.startswith(prefix) and line.strip(" \t>"):
            return [*block, prefix + fence], at
        block.append(line)
    return [*block, prefix + fence], len(lines)


def _escaped(line: str) -> str:
    pieces, position = [], 0
    for code in INLINE.finditer(line):
        pieces += [BACKTICK.sub(r"\\`", line[position : code.start()]), code[0]]
        position = code.end()
    return "".join(pieces) + BACKTICK.sub(r"\\`", line[position:])
