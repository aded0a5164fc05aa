"""The tree of a conversation's messages: which branches there are, and where they part. Knows ids, no rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Branch:
    """A way down the tree from the message where it leaves another branch to its newest end.

    Attributes:
        head: its first message that is on no branch above it.
        leaf: its last.
        length: how many messages it has from its head on.
        after: the message that it shares last with the branch above; None at the beginning.
        offshoots: the branches that leave this one, in the order of where they do.
    """

    head: int
    leaf: int
    length: int
    after: int | None
    offshoots: tuple[Branch, ...]


class Tree:
    """Messages by id and parent. A message is stored after its parent, so its id is higher."""

    def __init__(self, messages: Iterable[tuple[int, int | None]]) -> None:
        """From (id, id of the parent) of every message of one conversation."""
        self.parents = dict(sorted(messages))
        self._children: defaultdict[int | None, list[int]] = defaultdict(list)
        self._newest_below: dict[int, int] = {}
        for key, parent in self.parents.items():
            self._children[parent].append(key)
        for key, parent in reversed(self.parents.items()):
            newest = self._newest_below.setdefault(key, key)
            if parent is not None:
                self._newest_below[parent] = max(newest, self._newest_below.get(parent, parent))

    def path(self, through: int | None) -> list[int]:
        """The branch that leads through a message to the newest end below it, oldest first; empty without one."""
        if through not in self.parents:
            return []
        return self._up(self._newest_below[through])

    def siblings(self, message: int) -> Sequence[int]:
        """The messages that share its parent, itself among them, oldest first."""
        return self._children[self.parents[message]]

    @property
    def ends(self) -> int:
        """How many branches there are."""
        return sum(key not in self._children for key in self.parents)

    def outline(self, through: int | None, *, limit: int) -> Branch | None:
        """The branch through a message with those that leave it, at most `limit` together; None without messages."""
        root = self.path(through)
        return self._branch(root, root, after=None, room=[limit - 1]) if root else None

    def _branch(self, line: Sequence[int], forks: Iterable[int], *, after: int | None, room: list[int]) -> Branch:
        """The branch along a line of messages.

        Args:
            forks: those of them whose siblings are branches that leave it.
            room: how many more branches the outline may have; a list, so that all of them count it down.
        """
        offshoots = []
        for message in forks:
            for sibling in self.siblings(message):
                if sibling != message and room[0]:
                    room[0] -= 1
                    below = self._up(self._newest_below[sibling], down_to=sibling)
                    offshoots.append(self._branch(below, below[1:], after=self.parents[sibling], room=room))
        return Branch(head=line[0], leaf=line[-1], length=len(line), after=after, offshoots=tuple(offshoots))

    def _up(self, message: int, *, down_to: int | None = None) -> list[int]:
        """From a message up to the first one, or to another above it; in the order in which they were said."""
        line = [message]
        while line[-1] != down_to and (parent := self.parents[line[-1]]) is not None:
            line.append(parent)
        return line[::-1]
