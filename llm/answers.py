"""From what a model wrote to what is stored: nothing hidden, and no citation and no link of its own making."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import citations, links, urls
from .neutral import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import Passage


@dataclass(frozen=True, slots=True)
class Answer:
    """A text that is safe to render, with the citations of its marks.

    Attributes:
        links_removed: how many links, images and tags the model had written that were not to stay.
    """

    text: str
    citations: tuple[dict[str, Any], ...] = ()
    links_removed: int = 0


def checked(text: str, *, passages: Sequence[Passage] | None) -> Answer:
    """The answer as it may be shown.

    Args:
        passages: what was sent to answer from; None in open mode, where links to the web may stay.
    """
    stripped = settled(text, passages=passages)
    if passages is None:
        return Answer(stripped.text, links_removed=stripped.removed)
    verified = citations.verify(stripped.text, passages=passages)
    return Answer(verified.text, verified.citations, stripped.removed)


def settled(text: str, *, passages: Sequence[Passage] | None) -> links.Stripped:
    """The text of the answer as it may be shown, before its marks are resolved to citations."""
    text = visible(text)
    if passages is None:
        return links.strip(text, links.AnyWebLink())
    # Which links may stay depends on what is cited, so what is cited is first read from a text without any.
    bare = _without_strays(text, passages, links.OnlyStated(frozenset()))
    cited = citations.cited_numbers(bare.text)
    stated = [urls.stated_in(passage.text) for passage in passages if passage.number in cited and not passage.flags]
    return _without_strays(text, passages, links.OnlyStated(frozenset().union(*stated)))


def _without_strays(text: str, passages: Sequence[Passage], policy: links.Policy) -> links.Stripped:
    """The text without unknown marks and without links, until neither leaves the other behind."""
    known = {passage.number for passage in passages}
    removed = 0
    while True:
        stripped = links.strip(citations.known_marks(text, known=known), policy)
        removed += stripped.removed
        if stripped.text == text:
            return links.Stripped(text, removed)
        text = stripped.text
