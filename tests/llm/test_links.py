"""What an answer leads to when it is rendered: nothing but what is allowed, whatever renderer it is."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm.links import MAX_IMAGES, REMOVED, AnyWebLink, OnlyStated, strip

from .rendering import loaded, targets

GOOD = "https://shop.example/returns"
NOTHING = OnlyStated(frozenset())
STATED = OnlyStated(frozenset({GOOD}))

ORDINARY = [
    "Lamps cost 5 €, see [1] and [2][3]. 1 < 2, a > b, x[0] = {y}.",
    "# Title\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted [1]",
    "`code` and\n\n```python\nfor i in range(3):\n    print(a[i](b))\n```\n",
    "H<sub>2</sub>O, 10<sup>3</sup>, **bold**, _it_, ~~no~~ and a/b, and/or, 5:30, node.js, e.g. this",
    "Write to info@shop.example. The file is C:\\lamps\\list.txt or ~/lamps.",
    "See section [Returns] and [a][b] where nothing is defined.",
    "Kosten: 5 %. Größe 10×20, „zitiert“ — 渡轮七点离开 [1]。",
]


@pytest.mark.parametrize("policy", [NOTHING, AnyWebLink()], ids=["documents", "open"])
@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_answer_is_not_changed(text: str, policy: OnlyStated | AnyWebLink) -> None:
    assert strip(text, policy).text == text
    assert strip(text, policy).removed == 0


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("See [the form](https://evil.example/x) [1].", "See the form [1]."),
        ("![a lamp](https://evil.example/x)", "a lamp"),
        ("![](https://evil.example/x)", REMOVED),
        ("Thirty days [1](https://evil.example/x).", "Thirty days [1]."),
        ("See https://evil.example/x.", f"See {REMOVED}."),
        ("See <https://evil.example/x>!", f"See {REMOVED}!"),
        ("[a][r] b\n\n[r]: https://evil.example/x", "a b\n\n"),
        ("before <img src=https://evil.example/x> after", "before  after"),
        ("<script>alert(1)</script>text", "alert(1)text"),
        ("Run `curl https://evil.example/x`", f"Run `curl {REMOVED}`"),
        ("[a](javascript:alert(1))", "a"),
    ],
)
def test_the_text_stays_and_the_target_goes(written: str, left: str) -> None:
    stripped = strip(written, NOTHING)
    assert stripped.text == left
    assert stripped.removed >= 1


@pytest.mark.parametrize(
    "written",
    [
        f"See [the form]({GOOD}) [1].",
        f"See {GOOD}.",
        f"See <{GOOD}>.",
        f"![a lamp]({GOOD})",
        f"Run `curl {GOOD}`",
        f"See [the form]({GOOD} 'title').",
    ],
)
def test_a_target_that_is_stated_stays(written: str) -> None:
    stripped = strip(written, STATED)
    assert GOOD in stripped.text
    assert stripped.removed == 0
    assert any(GOOD in target for target in targets(stripped.text)) or "`" in written


@pytest.mark.parametrize(
    "target",
    [
        f"{GOOD}?d=1",
        f"{GOOD}#1",
        f"{GOOD}/1",
        GOOD.replace("shop", "shop1"),
        f"http{GOOD[5:]}",
        f"{GOOD}%20",
        GOOD.upper(),
    ],
)
def test_a_target_that_is_only_like_one_that_is_stated_goes(target: str) -> None:
    for written in (f"[a]({target})", target, f"<{target}>", f"![a]({target})"):
        assert target not in strip(written, STATED).text


def test_no_more_than_a_few_images_load_by_themselves() -> None:
    stripped = strip(f"![a]({GOOD}) " * (MAX_IMAGES + 2), STATED)
    assert stripped.text.count("![") == MAX_IMAGES
    assert stripped.text.count(f"]({GOOD})") == MAX_IMAGES + 2
    assert stripped.removed == 2


def test_in_open_conversations_links_to_the_web_stay_and_images_become_links() -> None:
    text = "See [a](https://any.example/x), https://any.example and [b](/docs/b), or `https://any.example`."
    assert strip(text, AnyWebLink()).text == text
    assert strip("![a](https://any.example/x)", AnyWebLink()).text == "[a](https://any.example/x)"
    for bad in ("javascript:alert(1)", "data:text/html,x", "https://bank.example@evil.example/", "//evil.example/x"):
        assert strip(f"[a]({bad})", AnyWebLink()).text == "a"


def test_html_that_could_do_something_goes_in_open_conversations_too() -> None:
    for tag in ("<img src=x onerror=alert(1)>", "<iframe src='https://evil.example'>", "<svg onload=x>", "<script>"):
        assert "<" not in strip(f"a {tag} b", AnyWebLink()).text


PIECES = st.sampled_from(
    [
        "[", "]", "(", ")", "!", "![", "](", "][", "]:", "<", ">", "`", "```", "~~~", "\n", "\n\n", " ", "    ", "> ",
        "- ", "|", "\\", "&#58;", "&colon;", "&sol;", "'", '"', "a", "1", "[1]", "^1", "*", "_", "\t", "\u200b", "=",
        "https://evil.example/x", "//evil.example/x", "www.evil.example/x", "javascript:x", "data:text/html,x",
        "mailto:a@b.example", "https:", "http", "://", "evil.example", "/x?q=1", "<img src=", "<a href=", "<!--", "-->",
        "<script>", "[r]: ", "\u2028",
    ]
)  # fmt: skip
ANSWERS = st.lists(PIECES, max_size=14).map("".join)
DANGEROUS = re.compile(r"evil\.example/|javascript:|data:text", re.IGNORECASE)


@settings(max_examples=400, deadline=None)
@given(ANSWERS)
def test_whatever_is_written_no_renderer_finds_a_way_out(text: str) -> None:
    stripped = strip(text, NOTHING)
    for target in targets(stripped.text):
        assert not DANGEROUS.search(target), stripped.text
    assert strip(stripped.text, NOTHING).text == stripped.text


@settings(max_examples=200, deadline=None)
@given(ANSWERS)
def test_whatever_is_written_in_an_open_conversation_nothing_runs_or_loads(text: str) -> None:
    stripped = strip(text, AnyWebLink()).text
    for target in targets(stripped):
        assert not re.match(r"\s*(?:javascript|vbscript|data):|.*<script", target, re.IGNORECASE), stripped
    assert list(loaded(stripped)) == []


@pytest.mark.parametrize(
    "unit", ["[", "![", "](", "<", "`", "[a](", "&#58;", "https://x.example/", "<a ", "[1]", "\\", "(", "> "]
)
def test_time_is_about_linear_whatever_the_answer_is_made_of(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        begun = time.perf_counter()
        strip(text, NOTHING)
        return time.perf_counter() - begun

    seconds(100)
    assert seconds(16_000) < 3.0
