"""An answer becomes HTML that a reader likes, and that does nothing."""

from __future__ import annotations

import time

import pytest
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from conversations.rendering import LONGEST, TAGS, as_html

ATTRIBUTES = {"a": {"href", "rel"}, "ol": {"start"}, "div": {"class", "tabindex", "role", "aria-label"}}
MARKUP = [
    "<script>alert(1)</script>",
    "<img src=https://evil.example/p.png onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext></table></math><img src onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](/admin/logout/)",
    "[x](//evil.example/)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/p.png 'see [1]')",
    '[x](https://a.example/"onmouseover="alert(1) "t")',
    "[x][1]\n\n[1]: javascript:alert(1)",
    "[1]: https://evil.example/ '[1]'\n\n[1]",
    "| [1] | <b>b</b> |\n|--|--|\n| `[1]` | ![i](https://e.example/[1]) |",
    "```\n<script>[1]</script>\n```",
    "    <script>[1]</script>",
    "\ue0000] [\ue0000] [1]",
    "> - 1. # *a **b `c",
    "[1]" * 3,
]


def harmless(html: str) -> bool:
    """Whether nothing but plain formatting is in it, as a browser's parser sees it."""
    body = LexborHTMLParser(f"<body>{html}</body>").body
    assert body is not None
    for node in body.traverse():
        if node.tag == "body":
            continue
        if node.tag not in TAGS | {"div", "i"} or set(node.attributes) - ATTRIBUTES.get(node.tag or "", set()):
            return False
        target = node.attributes.get("href") or "https:"
        if not target.lower().startswith(("http:", "https:", "mailto:")):
            return False
    return True


def marks(count: int) -> list[SafeString]:
    return [mark_safe(f"<i>{number}</i>") for number in range(count)]


@pytest.mark.parametrize("text", MARKUP)
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_no_markup_of_an_answer_does_anything(text: str, count: int) -> None:
    assert harmless(as_html(text, marks=marks(count)))


@given(
    st.lists(
        st.sampled_from([*MARKUP, " ", "\n", "\n\n", "*", "_", "`", "<", "&", '"', "[", "](", ")", "]"]), max_size=12
    )
)
def test_nor_does_any_mixture_of_it(parts: list[str]) -> None:
    text = "".join(parts)
    assert harmless(as_html(text))
    assert harmless(as_html(text, marks=marks(text.count("[1]"))))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**Three** years", "<p><strong>Three</strong> years</p>\n"),
        ("# Title\n\n###### Deep", "<h4>Title</h4>\n<h6>Deep</h6>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("~~no~~ `x < y`", "<p><s>no</s> <code>x &lt; y</code></p>\n"),
        ("3. three", '<ol start="3">\n<li>three</li>\n</ol>\n'),
        (
            "[home](https://a.example/?b=c&d)",
            '<p><a href="https://a.example/?b=c&amp;d" rel="noopener noreferrer nofollow">home</a></p>\n',
        ),
        ("[home](/admin/)", "<p>[home](/admin/)</p>\n"),
        ("", ""),
    ],
)
def test_formatting_stays(text: str, html: str) -> None:
    assert as_html(text) == html


def test_an_image_becomes_a_link_that_nobody_follows_by_reading() -> None:
    html = as_html("![a *cat*](https://cats.example/1.png)")
    link = '<a href="https://cats.example/1.png" rel="noopener noreferrer nofollow">a cat</a> (image, not loaded)'
    assert html == f"<p>{link}</p>\n"


def test_a_table_can_be_scrolled_with_the_keyboard() -> None:
    html = as_html("| a |\n|---|\n| 1 |")
    assert html.startswith('<div class="scrolling" tabindex="0" role="region" aria-label="Table"><table>')
    assert html.count("<div") == html.count("</div>") == 1


def test_each_mark_is_replaced_by_its_own() -> None:
    html = as_html("**Three years.**[2] Five[1][2] `[1]`, if registered [1].", marks=marks(4))
    assert html == (
        "<p><strong>Three years.</strong><i>0</i> Five<i>1</i><i>2</i> <code>[1]</code>, if registered <i>3</i>.</p>\n"
    )


def test_marks_that_do_not_fit_the_text_change_nothing() -> None:
    assert as_html("One [1] two [2]", marks=marks(1)) == "<p>One [1] two [2]</p>\n"


def test_a_text_that_has_the_stand_in_for_a_mark_does_not_get_one() -> None:
    assert as_html("\\[\ue0000\\] and [1]", marks=marks(1)) == "<p>[0] and <i>0</i></p>\n"


def test_a_very_long_text_is_shown_as_it_was_written() -> None:
    html = as_html("<b>" + "**x** " * LONGEST)
    assert html.startswith('<p class="plain">&lt;b&gt;**x** **x**')


@pytest.mark.parametrize(
    "unit", ["> ", "[a](", "*a **b ", "![[", "_a", "[[[]", "`", "<", "| a ", "- ", "\\", "[1]", "&#"]
)
def test_no_text_takes_long(unit: str) -> None:
    text = unit * (LONGEST // len(unit))
    began = time.process_time()
    as_html(text)
    assert time.process_time() - began < 5
