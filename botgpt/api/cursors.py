"""A place in a long list: the row after which a page begins, found by an index however deep it is."""

from __future__ import annotations

import datetime as dt
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q

if TYPE_CHECKING:
    from django.db.models import QuerySet

LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """Behind the row of a moment and a key. For clients it is a word without a meaning.

    Attributes:
        page: the number of the page that begins here.
        total: of the list, as it was counted for the first page.
    """

    at: dt.datetime
    key: int
    page: int
    total: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote.

        Raises:
            ValueError, OverflowError: it is anything else.
        """
        at, *numbers = urlsafe_b64decode(text.encode("ascii") + b"==").decode("ascii").split(",")
        key, page, total = map(int, numbers)
        moment = dt.datetime.fromisoformat(at)
        if moment.tzinfo is None or not all(0 <= number <= LARGEST for number in (key, page, total)):
            raise ValueError(text)
        return cls(moment.astimezone(dt.UTC), key, page, total)

    def __str__(self) -> str:
        text = f"{self.at.isoformat()},{self.key},{self.page},{self.total}"
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def rest_of(self, rows: QuerySet[Any], *, moment: str) -> QuerySet[Any]:
        """Those behind it, of rows that come newest first by `moment`, then by key."""
        behind = Q(**{f"{moment}__lt": self.at}) | Q(pk__lt=self.key)
        return rows.filter(behind, **{f"{moment}__lte": self.at})  # the last is where an index begins to read
