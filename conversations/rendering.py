"""An answer as HTML: what a model wrote may look like Markdown, and never acts.

Two libraries stand behind each other: markdown-it takes no HTML and no link that does not lead to the web or a mailbox,
and nh3 lets nothing through but plain formatting. Images are not loaded: a picture from elsewhere tells who reads it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from llm.citations import marks_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

LONGEST = 50_000  # characters; longer texts are shown as they were written
FIRST_HEADING = 4  # below those of the page
WEB = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
TAGS = frozenset("a blockquote br code em h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split())
# Stands for a mark while the text is rendered: `[n]` with a character inside that no text has by then.
HIDDEN = "\ue000"
MARK = re.compile(rf"\[{HIDDEN}(\d+)\]")
TABLE = '<div class="scrolling" tabindex="0" role="region" aria-label="Table"><table>'


def as_html(answer: str, *, marks: Sequence[SafeString] = ()) -> SafeString:
    """The answer with its n-th citation mark replaced by the n-th of `marks`.

    If there are not as many marks as that, they are left as they are.
    """
    if len(answer) > LONGEST:
        return format_html('<p class="plain">{}</p>', answer)
    import nh3

    text = answer.replace(HIDDEN, "")
    places = list(marks_in(text)) if marks else []
    if len(places) == len(marks):
        for number, (start, end, _) in reversed(list(enumerate(places))):
            text = f"{text[:start]}[{HIDDEN}{number}]{text[end:]}"
    clean = nh3.clean(
        _markdown().render(text),
        tags=set(TAGS),
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    # Only text can hold a hidden mark: addresses have it percent-encoded, and there are no other attributes.
    clean = MARK.sub(lambda hidden: marks[int(hidden[1])], clean)
    return mark_safe(clean.replace("<table>", TABLE).replace("</table>", "</table></div>"))  # noqa: S308  cleaned


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    markdown.enable(["table", "strikethrough"]).disable("reference")  # `[1]: …` defines no link: [1] is a citation
    markdown.validateLink = lambda url: WEB.match(url) is not None  # type: ignore[method-assign]
    markdown.core.ruler.push("headings_below_the_page", _lower_headings)
    markdown.add_render_rule("image", _image_as_link)
    return markdown


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + FIRST_HEADING - 1, 6)}"


def _image_as_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> SafeString:
    token = tokens[index]
    alt = self.renderInlineAsText(token.children or [], options, env)
    return format_html('<a href="{}">{}</a> (image, not loaded)', token.attrGet("src"), alt or token.attrGet("src"))
