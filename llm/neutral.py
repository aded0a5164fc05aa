"""Text that others wrote, as it may stand in a prompt: nothing hidden in it, nothing that a model takes for its frame.

Only what is sent is changed. What is stored stays as it is, so that offsets and quotes are exact.
"""

from __future__ import annotations

import re

# Every character that is drawn as nothing: Unicode's Default_Ignorable_Code_Point, annotations, and controls. Text can
# be written in some of them (the tag characters repeat ASCII, variation selectors count to 256), and only models read
# it. Joiners and the selectors of emoji are told apart below, because scripts and emoji need them.
UNSEEN = (
    "\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
ENDS = "\x0b\x0c\x1c-\x1e\x85\u2028\u2029"  # of lines, besides the two that everyone knows
JOINED = "\u0600-\u1fff\u2190-\u2bff\u3000-\ud7ff\ufe0f\U0001f000-\U0001fbff"  # Arabic, Indic, emoji: not Latin
SPECIAL = re.compile(f"[\r\u200c\u200d\ufe0e\ufe0f{ENDS}{UNSEEN}]")
INVISIBLE = re.compile(f"[{UNSEEN}]")
EMOJI = "#*0-9\xa9\xae\u203c-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001fbff"
IDLE = re.compile(f"(?<![{JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{JOINED}])|(?<![{EMOJI}])[\ufe0e\ufe0f]")
LINE_END = re.compile(f"\r\n?|[{ENDS}]")

# The control tokens of chat templates. A space behind the first character makes them words like others, also for a
# server that looks for them in what users send.
CONTROL_TOKEN = re.compile(
    r"""
      <(?=[|｜][^<>|｜\n]{1,60}[|｜]>)                              # <|im_start|>, <|channel|>, <｜User｜>
    | <(?=/?(?:s|bos|eos|pad|unk|mask|think|tool_call|tool_response|function_calls?)>)
    | <(?=/?(?:start_of_turn|end_of_turn|start_header_id|end_header_id|eot_id|(?:begin|end)_of_text)>)
    | <(?=</?SYS>>)                                               # <<SYS>>
    | \[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|gMASK)\])
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A line that begins as the lines of our own frame do, see prompts.py. It is quoted, which takes it out of the margin.
FRAME_WORDS = ("PASSAGE", "SUMMARY", "CODE", "QUESTION")
FRAME_LINE = re.compile(r"^(?=[^\S\n]*(?:(?:BEGIN|END)[^\S\n]+(?:PASSAGE|SUMMARY)|CODE|QUESTION)\b)", re.MULTILINE)


def visible(text: str) -> str:
    """The text without what no reader sees, and with plain line ends."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    if not SPECIAL.search(text):  # this and the line above it: most texts, and the others cost ten times as much
        return text
    return IDLE.sub("", INVISIBLE.sub("", LINE_END.sub("\n", text)))


def neutral(text: str) -> str:
    """A message of the conversation as it is sent: visible, without control tokens and without lines like our frame's.

    Ordinary text comes back as it is.
    """
    text = _without_control_tokens(visible(text))
    return FRAME_LINE.sub("> ", text) if any(word in text for word in FRAME_WORDS) else text


def quoted(text: str) -> str:
    """A text from outside as it is sent: visible, without control tokens, and every line behind a `> `."""
    return "> " + _without_control_tokens(visible(text)).replace("\n", "\n> ")


def one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _without_control_tokens(text: str) -> str:
    return CONTROL_TOKEN.sub(r"\g<0> ", text) if "<" in text or "[" in text else text
