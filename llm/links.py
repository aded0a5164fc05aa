"""Takes out of an answer what could carry data away when a client renders it as Markdown: links, images, HTML.

Clients differ in what they take for a link, so this does not read Markdown as one of them does. Whatever any of them
could follow is taken apart, unless its target is allowed; what a reader sees of it stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from .markdown import INLINE, Part, parts
from .tags import without_tag, without_targets
from .urls import URL, is_web, normal, readings, trimmed, without_references

if TYPE_CHECKING:
    from collections.abc import Sequence

REMOVED: Final = "‹link removed›"
MAX_IMAGES: Final = 3  # an image loads by itself: which of many known ones are shown, and in what order, is a message
MAX_ROUNDS: Final = 20

TITLE = r"""(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\))"""
# The target of a link or an image, behind its text.
TARGET = re.compile(
    r"\(\s*(?:<(?P<angle>[^<>\n]*)>|(?P<plain>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*))" rf"(?:\s+{TITLE})?\s*\)"
)
# The target of a definition, behind its label; and whole definitions.
DEFINED = rf"[ \t]*\n?[ \t]*(?:<(?P<angle>[^<>\n]*)>|(?P<plain>\S+))(?:[ \t]*\n?[ \t]+{TITLE})?[ \t]*$"
IS_DEFINED = re.compile(DEFINED, re.MULTILINE)
DEFINITION = re.compile(rf"^[ \t>*+-]*\[(?P<label>[^\[\]\n]+)\]:{DEFINED}\n?", re.MULTILINE)
BEFORE_DEFINITION = re.compile(r"[ \t>*+\-\d.)]*")  # on its line: what marks quotes and lists
REFERENCE = re.compile(r"\[(?P<text>[^\[\]\n]*)\](?:\[(?P<label>[^\[\]\n]*)\])?(?![(\[:])")
AUTOLINK = re.compile(r"<((?:[a-z][a-z0-9+.-]{1,31}:|[^\s<>@]+@)[^\s<>]*)>", re.IGNORECASE)
WITHIN_THE_SITE = re.compile(r"(?![/\\]{2})[\w./#?=&%~+-]*")
SENTENCE_GOES_ON = re.compile(r"[.,;:?)]*(?:[\s<]|\Z)")
NUMBER = re.compile(r"\d{1,3}")
TOKEN = re.compile(
    rf"(?P<code>{INLINE.pattern})|(?P<tag><(?=[a-z/!?]))|(?P<open>!?\[)|(?P<close>\][(:]?)|(?P<url>{URL.pattern})",
    re.VERBOSE | re.IGNORECASE,
)
# Without any of these a text holds nothing to take out.
SUSPECT = re.compile(r"<[a-z/!?]|\][(:\[]|[:/\\][/\\]|[a-z]:\S|www\.|&\#?\w+;|\.\w+[/?]", re.IGNORECASE)


class Policy(Protocol):
    """Which links may stay, and how many images; `everywhere` when code is looked through too."""

    @property
    def everywhere(self) -> bool: ...

    @property
    def max_images(self) -> int: ...

    def allows(self, url: str) -> bool: ...


@dataclass(frozen=True)
class OnlyStated:
    """For answers from documents: only URLs that are stated there, in code too.

    Code is not rendered as links, but some clients make links of URLs in it.
    """

    urls: frozenset[str]
    everywhere: bool = True
    max_images: int = MAX_IMAGES

    def allows(self, url: str) -> bool:
        return normal(url) in self.urls


@dataclass(frozen=True)
class AnyWebLink:
    """For open conversations: links to the web, to mailboxes and within the site, which someone has to click.

    No image stays one, since it loads by itself; it becomes a link. Code is left alone.
    """

    everywhere: bool = False
    max_images: int = 0

    def allows(self, url: str) -> bool:
        return is_web(url) or WITHIN_THE_SITE.fullmatch(url) is not None


@dataclass(frozen=True, slots=True)
class Stripped:
    """A text without what was not allowed, and how many links, images and tags that were."""

    text: str
    removed: int


def strip(text: str, policy: Policy) -> Stripped:
    """Take out every link, image and tag that the policy does not allow.

    The text of a link and the description of an image stay, targets go; of a URL in the text a note remains, and of a
    text that was nothing else.
    """
    if not SUSPECT.search(text):
        return Stripped(text, 0)
    removed = 0
    for _ in range(MAX_ROUNDS):  # what is left when something was taken out may be a link in turn
        scan = _Scan(policy)
        after = scan.run(without_references(text))
        removed += scan.removed
        if after == text:
            return Stripped(text if text.strip() else REMOVED, removed)
        text = after
    flat = re.sub(r"[\[\]<>`]", "", text)  # nested deeper than any honest answer
    return Stripped(URL.sub(REMOVED, flat), removed + 1)


@dataclass(frozen=True, slots=True)
class _Bracket:
    """An opening one: where it stands in the text, and its place in the output."""

    start: int
    place: int
    is_image: bool


@dataclass
class _Scan:
    """One pass over a text, from left to right."""

    policy: Policy
    removed: int = 0
    images: int = 0
    out: list[str] = field(default_factory=list)
    opened: list[_Bracket] = field(default_factory=list)

    def run(self, text: str) -> str:
        blocks = parts(text)
        if self.policy.everywhere and "]:" in text:
            blocks = _with_references_resolved(blocks)
        for block in blocks:
            if block.is_code:
                self.out.append(self._code(block.text))
            else:
                self._prose(block.text)
        return "".join(self.out)

    def _prose(self, text: str) -> None:
        self.opened.clear()
        position = 0
        while match := TOKEN.search(text, position):
            self.out.append(text[position : match.start()])
            match match.lastgroup:
                case "code":
                    self.out.append(self._code(match[0]))
                    position = match.end()
                case "tag":
                    position = self._angle(text, match.start())
                case "open":
                    is_image = match[0] == "!["
                    self.opened.append(_Bracket(match.start(), len(self.out), is_image))
                    self.out.append("[" if is_image and not self.policy.max_images else match[0])
                    position = match.end()
                case "close":
                    position = self._close(text, match)
                case _:
                    position = self._url(match)
        self.out.append(text[position:])

    def _close(self, text: str, match: re.Match[str]) -> int:
        """A closing bracket; with what follows it may be a link, an image or a definition."""
        opener = self.opened.pop() if self.opened else None
        if match[0] == "](":
            return self._target(text, match, opener)
        if match[0] == "]:":
            line = text[text.rfind("\n", 0, opener.start) + 1 : opener.start] if opener else ""
            defined = IS_DEFINED.match(text, match.end()) if BEFORE_DEFINITION.fullmatch(line) else None
            known = defined and self.policy.allows(_address(defined))
            # One client takes the fence of the code that follows for the target.
            before_code = not text[match.end() :].strip()
            self.out.append("] :" if before_code or (defined and not known) else "]:")
        else:
            was_image = opener is not None and opener.is_image and not self.policy.max_images
            self.removed += was_image and text.startswith("[", match.end())
            self.out.append("]")
        return match.end()

    def _target(self, text: str, match: re.Match[str], opener: _Bracket | None) -> int:
        """Where a link or an image leads, right behind its text."""
        target = TARGET.match(text, match.start() + 1)
        if target is None:
            self.out.append("] (")
            return match.end()
        is_image = opener is not None and opener.is_image
        allowed = self.policy.allows(_address(target))
        self.images += allowed and is_image
        becomes_link = is_image and self.images > self.policy.max_images
        if opener is None:
            self.out.append("]")
        elif allowed:
            if becomes_link:
                self.out[opener.place] = "["
            self.out.append(f"]({_written(target)})")
        elif not is_image and NUMBER.fullmatch("".join(self.out[opener.place + 1 :])):
            self.out.append("]")  # a citation mark that was made a link
        else:
            self.out[opener.place] = ""
        self.removed += not allowed or opener is None or becomes_link
        return target.end()

    def _angle(self, text: str, start: int) -> int:
        """A link in angle brackets, or HTML."""
        if (link := AUTOLINK.match(text, start)) is None:
            before = next((piece[-1] for piece in reversed(self.out) if piece), " ")
            written, end, was_active = without_tag(text, start, before=before)
            self.out.append(written)
            self.removed += was_active
            return end
        is_mail = ":" not in link[1] and "?" not in link[1]
        if self.policy.allows(f"mailto:{link[1]}" if is_mail else link[1]):
            self.out.append(link[0])
        else:
            self.out.append(link[1] if is_mail else REMOVED)
            self.removed += not is_mail
        return link.end()

    def _url(self, match: re.Match[str]) -> int:
        """A URL that stands in the text."""
        if not self.policy.everywhere:
            self.out.append(match[0])
            return match.end()
        for url in filter(self.policy.allows, readings(match[0])):
            end = match.start() + len(url)
            in_brackets = bool(self.opened) and match.string.startswith("](", end)
            # Clients end a URL where they like, unless it ends at a space or is told where.
            plain = in_brackets or SENTENCE_GOES_ON.match(match.string, end)
            self.out.append(url if plain else f"<{url}>")
            return end
        self.removed += 1
        self.out.append(REMOVED)
        return match.start() + max(1, len(trimmed(match[0])))

    def _code(self, code: str) -> str:
        """Code in which no URL remains, and no tag that leads somewhere, should a client not take it for code."""
        if not self.policy.everywhere:
            return code
        code, removed = without_targets(code, allows=self.policy.allows)
        self.removed += removed
        return URL.sub(self._url_in_code, code)

    def _url_in_code(self, match: re.Match[str]) -> str:
        url = trimmed(match[0])
        if self.policy.allows(url):
            return match[0]
        self.removed += 1
        return REMOVED + match[0][max(1, len(url)) :]


def _address(target: re.Match[str]) -> str:
    return str(target["plain"] if target["angle"] is None else target["angle"])


def _written(target: re.Match[str]) -> str:
    return str(target["plain"]) if target["angle"] is None else f"<{target['angle']}>"


def _with_references_resolved(blocks: Sequence[Part]) -> list[Part]:
    """Links by reference as links with their target, without the definitions. Numbers are citation marks and stay."""
    targets: dict[str, str] = {}

    def collect(match: re.Match[str]) -> str:
        label = match["label"].strip().casefold()
        if NUMBER.fullmatch(label):
            return match[0]
        targets.setdefault(label, _written(match))
        return ""

    def resolve(match: re.Match[str]) -> str:
        target = targets.get((match["label"] or match["text"]).strip().casefold())
        return match[0] if target is None else f"[{match['text']}]({target})"

    without = [block if block.is_code else Part(DEFINITION.sub(collect, block.text), is_code=False) for block in blocks]
    return [block if block.is_code else Part(REFERENCE.sub(resolve, block.text), is_code=False) for block in without]
