"""A stretch of a conversation as an operator reads it: one branch, a page of it, with what is behind each reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models.functions import Left
from django.utils.html import format_html

from llm.citations import marks_in

from .behind import behind
from .branches import Tree
from .rendering import as_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django.core.paginator import Page
    from django.http import QueryDict
    from django.utils.safestring import SafeString

    from .behind import Behind
    from .branches import Branch
    from .models import Conversation, Message

PER_PAGE = 20
BRANCHES_SHOWN = 50
FIRST_WORDS = 80
LONGEST_ID = 18  # digits


@dataclass(frozen=True, slots=True)
class Footnote:
    """A source of a reply: the citation and its place in the reply's list, by which its page is found."""

    index: int
    number: int
    citation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Versions:
    """The place of a message among those that were written instead of each other."""

    number: int
    total: int
    previous: int | None
    next: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of the page. `html` is that of a reply; a question is shown as it was typed."""

    message: Message
    html: SafeString | None
    footnotes: tuple[Footnote, ...]
    versions: Versions | None
    behind: Behind | None


@dataclass(frozen=True, slots=True)
class OutlinedBranch:
    """A branch in the outline of the tree, with the beginning of its first message."""

    branch: Branch
    role: str
    words: str
    is_shown: bool
    offshoots: tuple[OutlinedBranch, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A page of one branch.

    Attributes:
        is_active: whether it is the branch that the user sees.
        branches: how many there are.
        outline: None when there is but one.
    """

    page: Page[int]
    entries: tuple[Entry, ...]
    is_active: bool
    branches: int
    outline: OutlinedBranch | None


def transcript(
    conversation: Conversation, asked: QueryDict, *, source_url: Callable[[int, int], str] | None, with_calls: bool
) -> Transcript:
    """The branch through the message `branch`, the active one without it; its page `page`, or that of the message.

    As many queries for ten thousand messages as for ten: of those elsewhere only ids are read.

    Args:
        source_url: from a message and the place of a citation in it to the page that opens it.
        with_calls: whether to show the ledger.
    """
    tree = Tree(conversation.messages.order_by().values_list("id", "parent_id"))
    active = conversation.active_leaf_id
    wanted = asked.get("branch", "")
    through = int(wanted) if wanted.isdecimal() and len(wanted) <= LONGEST_ID else None
    line = tree.path(through) or tree.path(active) or tree.path(max(tree.parents, default=None))
    default = line.index(through) // PER_PAGE + 1 if through in line else 1
    page = Paginator(line, PER_PAGE).get_page(asked.get("page", default))
    messages = conversation.messages.in_bulk(list(page.object_list))
    made_of = behind(messages.values(), with_calls=with_calls)
    leaf = line[-1] if line else None
    trunk = active if active in tree.parents else leaf
    return Transcript(
        page=page,
        entries=tuple(
            _entry(messages[key], versions=_versions(tree, key), made_of=made_of.get(key), source_url=source_url)
            for key in page.object_list
            if key in messages
        ),
        is_active=leaf == trunk,
        branches=tree.ends,
        outline=_outline(conversation, tree, trunk, shown=leaf) if tree.ends > 1 else None,
    )


def _versions(tree: Tree, message: int) -> Versions | None:
    siblings = tree.siblings(message)
    if len(siblings) < 2:  # noqa: PLR2004
        return None
    place = siblings.index(message)
    return Versions(
        number=place + 1,
        total=len(siblings),
        previous=siblings[place - 1] if place else None,
        next=siblings[place + 1] if place + 1 < len(siblings) else None,
    )


def _entry(
    message: Message,
    *,
    versions: Versions | None,
    made_of: Behind | None,
    source_url: Callable[[int, int], str] | None,
) -> Entry:
    if message.role == message.Role.USER:
        return Entry(message, html=None, footnotes=(), versions=versions, behind=None)
    numbers = _numbers(message)
    marks = [_mark(message, index, number, source_url) for index, number in enumerate(numbers)]
    return Entry(
        message,
        html=as_html(message.content, marks=marks),
        footnotes=tuple(_footnotes(message.citations, numbers)),
        versions=versions,
        behind=made_of,
    )


def _numbers(message: Message) -> list[int]:
    """What each citation of a reply is marked with: the number of its passage, as the model got it."""
    numbers = [number for _, _, number in marks_in(message.content)]
    return numbers if len(numbers) == len(message.citations) else list(range(1, len(message.citations) + 1))


def _mark(message: Message, index: int, number: int, source_url: Callable[[int, int], str] | None) -> SafeString:
    citation = message.citations[index]
    page = f", page {citation['page']}" if citation.get("page") else ""
    return format_html(
        '<sup><a class="cite" href="{}" title="{}{page}" aria-label="Source {}: {}{page}">{}</a></sup>',
        source_url(message.pk, index) if source_url else f"#sources-{message.pk}",
        *(citation["filename"], number, citation["filename"], number),
        page=page,
    )


def _footnotes(citations: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> Iterator[Footnote]:
    """Each passage that is quoted once, however often."""
    seen = set()
    for index, (citation, number) in enumerate(zip(citations, numbers, strict=True)):
        same = (number, citation["document_id"], citation["quote"])
        if same not in seen:
            seen.add(same)
            yield Footnote(index, number, citation)


def _outline(conversation: Conversation, tree: Tree, trunk: int | None, *, shown: int | None) -> OutlinedBranch | None:
    root = tree.outline(trunk, limit=BRANCHES_SHOWN)
    if root is None:
        return None
    heads = conversation.messages.filter(pk__in=_heads(root)).annotate(words=Left("content", FIRST_WORDS))
    said = {key: (role, words) for key, role, words in heads.order_by().values_list("id", "role", "words")}

    def outlined(branch: Branch) -> OutlinedBranch:
        role, words = said.get(branch.head, ("", ""))
        offshoots = tuple(outlined(offshoot) for offshoot in branch.offshoots)
        return OutlinedBranch(branch, role, words, is_shown=branch.leaf == shown, offshoots=offshoots)

    return outlined(root)


def _heads(branch: Branch) -> Iterator[int]:
    yield branch.head
    for offshoot in branch.offshoots:
        yield from _heads(offshoot)
