"""The tree of a conversation's messages, by ids alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.branches import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conversations.branches import Branch

# 1 ─ 2 ─ 3 ─ 6      2 was asked for anew: 4, 7; below 4 the question 5 was edited: 8
#   ├ 4 ─ 5
#   │   └ 8 ─ 9
#   └ 7
MESSAGES = [(1, None), (2, 1), (3, 2), (4, 1), (5, 4), (6, 3), (7, 1), (8, 4), (9, 8)]


@pytest.fixture
def tree() -> Tree:
    return Tree(MESSAGES)


@pytest.mark.parametrize(
    ("through", "path"),
    [(6, [1, 2, 3, 6]), (2, [1, 2, 3, 6]), (5, [1, 4, 5]), (4, [1, 4, 8, 9]), (1, [1, 4, 8, 9]), (7, [1, 7])],
)
def test_a_path_leads_through_a_message_to_the_newest_end_below_it(tree: Tree, through: int, path: list[int]) -> None:
    assert tree.path(through) == path


@pytest.mark.parametrize("through", [None, 0, 99])
def test_there_is_no_path_through_what_is_no_message(tree: Tree, through: int | None) -> None:
    assert tree.path(through) == []
    assert tree.outline(through, limit=9) is None


def test_siblings_share_a_parent_oldest_first(tree: Tree) -> None:
    assert [tree.siblings(message) for message in (1, 4, 8, 9)] == [[1], [2, 4, 7], [5, 8], [9]]


def test_the_first_message_can_have_siblings_too() -> None:
    tree = Tree([(1, None), (2, 1), (3, None), (4, 3)])
    assert tree.siblings(3) == [1, 3]
    outline = tree.outline(2, limit=9)
    assert outline is not None
    assert [(branch.head, branch.leaf, branch.after) for branch in outline.offshoots] == [(3, 4, None)]


def test_an_outline_tells_each_branch_under_the_one_that_it_leaves(tree: Tree) -> None:
    outline = tree.outline(6, limit=9)
    assert outline is not None
    assert shape(outline) == (1, 6, 4, None, [(4, 9, 3, 1, [(5, 5, 1, 4, [])]), (7, 7, 1, 1, [])])
    assert tree.ends == 4


def shape(branch: Branch) -> tuple[int, int, int, int | None, list[object]]:
    return branch.head, branch.leaf, branch.length, branch.after, [shape(offshoot) for offshoot in branch.offshoots]


def test_an_outline_ends_where_it_would_become_too_long() -> None:
    tree = Tree([(1, None), *((key, 1) for key in range(2, 1_000))])
    outline = tree.outline(2, limit=50)
    assert outline is not None
    assert len(list(every(outline))) == 50


def every(branch: Branch) -> Iterator[Branch]:
    yield branch
    for offshoot in branch.offshoots:
        yield from every(offshoot)


@given(st.lists(st.integers(min_value=0), min_size=1, max_size=60), st.integers(min_value=0))
def test_the_outline_of_any_tree_has_each_message_once(choices: list[int], start: int) -> None:
    parents = [(key, choice % key or None) for key, choice in enumerate(choices, start=1)]
    tree = Tree(parents)
    outline = tree.outline(start % len(parents) + 1, limit=1_000)
    assert outline is not None
    branches = list(every(outline))
    assert len(branches) == tree.ends
    assert sum(branch.length for branch in branches) == len(parents)
    for branch in branches[1:]:
        assert tree.path(branch.head)[-1] == branch.leaf  # a link to its head shows this very branch
