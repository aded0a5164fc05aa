"""URLs in text: where one may be, and when two are the same."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from .neutral import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

# Whatever some renderer, browser or linkifier takes for the beginning of a URL, and on to the next space. Slashes may
# lean either way, because browsers do not mind. A bare host name counts when something follows that could carry data.
TOP_LEVEL = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|web|app|dev|cloud|online|site|xyz|shop|top|tech|store|link|click|live"
    "|page|website|space|club|test|example|invalid|local|internal|(?!js)[a-z][a-z]"
)
URL = re.compile(
    rf"""
    (?: (?<![a-z0-9]) [a-z0-9][a-z0-9+.-]{{0,40}}:[/\\]{{2}}
      | (?:https?|ftps?|wss?|mailto|javascript|vbscript):(?=[^\s<>])
      | (?<![\w-]) data:(?=[\w.+-]*/?[\w.+-]*[;,])
      | (?<![\w:/\\]) [/\\]{{2}} (?=[\w-]+(?:\.[\w-]+)+)
      | (?<![a-z0-9@./-]) www\.(?=\w)
      | (?<![a-z0-9@./-]) (?:[\w-]+\.)+(?:{TOP_LEVEL})\.?(?::\d+)? (?=/[^\s<>]|\?[^\s<>]*=)
    )
    (?: (?!\][(\[:]) [^\s<>] )*
    """,
    re.VERBOSE | re.IGNORECASE,
)
MIGHT_BE_ENCODED = re.compile(r"\S*&\#?\w+;\S*")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ENDS = ".,;:!?'\"*_~`|…。，、；：！？”’」』）】》"
MARKS = re.compile(r"(?:\[\d{1,3}\])+$")
STOPS = tuple(map(re.compile, ("[\"'`]", r"\)", r"\]", "[,;|]")))  # where else one may end in a document
NOT_ASCII = re.compile(r"[^!-~]")
PARTS = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?(?://([^/?#]*))?([^\s\\]*)", re.IGNORECASE)
WEB = {"http": ":80", "https": ":443"}  # the schemes that may stand in a link, with the port that goes without saying
ACTIVE = {"javascript", "vbscript", "data", "blob", "file", "view-source"}


def without_references(text: str) -> str:
    """The text with the words spelled out that turn out to be URLs when character references are decoded."""

    def spelled_out(match: re.Match[str]) -> str:
        decoded = "".join(html.unescape(match[0]).split())
        return decoded if URL.search(decoded) and not URL.search(match[0]) else match[0]

    return MIGHT_BE_ENCODED.sub(spelled_out, text) if "&" in text else text


def trimmed(url: str) -> str:
    """Without what follows a URL in a sentence: punctuation, quotes, brackets that it did not open, citation marks."""
    while True:
        shorter = MARKS.sub("", url).rstrip(ENDS)
        for opening, closing in ("()", "[]", "{}"):
            if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                shorter = shorter[:-1]
        if shorter == url:
            return url
        url = shorter


def normal(url: str) -> str | None:
    """The URL as it is compared: character references and escapes decoded, scheme and host in lower case.

    Without scheme it begins with `//`. Hosts are compared letter by letter: what only looks alike is another one.
    None if it is not a plain URL, or one that runs or holds content itself.
    """
    plain = re.sub(r"\\([^\w\s])", r"\1", html.unescape(url.strip()))
    match = PARTS.fullmatch(plain)
    if not match:
        return None
    scheme, host, rest = (match[1] or "").lower(), match[2], match[3]
    if scheme in ACTIVE:
        return None
    if scheme == "mailto":
        return f"mailto:{rest.lower()}" if host is None and "?" not in rest else None
    if host is None and not scheme:
        head, slash, tail = plain.partition("/")
        host, rest = head, slash + tail
    if not host:
        return None
    host = host.lower().removesuffix(WEB.get(scheme, ":443"))
    return f"{scheme}:" * bool(scheme) + f"//{host}" + (rest if rest.startswith("/") else f"/{rest}")


def is_web(url: str) -> bool:
    """Whether a link may lead there: a web page or a mailbox, without a user name that poses as the host."""
    known = normal(url)
    if known is None:
        return False
    scheme, _, rest = known.partition(":")
    return scheme == "mailto" or (scheme in WEB and "@" not in rest.split("/")[2])


def stated_in(text: str) -> Iterator[str]:
    """The URLs that stand in a text, in normal form, with and without their scheme; of mailboxes the mail URL."""
    text = visible(text)
    for match in URL.finditer(text):
        for url in (*readings(match[0]), *_shorter(match[0])):
            known = normal(url)
            if known is None:
                continue
            yield known
            if known.startswith("//"):
                yield from (f"{scheme}:{known}" for scheme in WEB)
            elif known.partition(":")[0] in WEB:
                yield known.partition(":")[2]
    for match in EMAIL.finditer(text):
        yield f"mailto:{match[0].lower()}"


def readings(run: str) -> Iterator[str]:
    """What the URL in a run without spaces is: all but what ends a sentence, or up to another script."""
    yield trimmed(run)
    if other := NOT_ASCII.search(run):
        yield trimmed(run[: other.start()])


def _shorter(run: str) -> Iterator[str]:
    for stop in STOPS:
        if end := stop.search(run):
            yield trimmed(run[: end.start()])
