"""Puts the dashboard together: to each member of staff what their permissions let them see elsewhere in the admin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from llm.analytics import A_DAY, Question, consistently
from llm.limits import today

from . import attention, spending
from .asked import MOST_DAYS, PERIODS, Asked, asked

if TYPE_CHECKING:
    from django.http import HttpRequest

    from botgpt.accounts.models import User
    from llm.analytics import Books

    from .tables import Card, Chart, Section, Table

LEDGER: Final = "llm.view_llmcall"
TRANSCRIPTS: Final = "conversations.view_conversation"
DOCUMENTS: Final = "documents.view_document"
ALLOWANCES: Final = "llm.view_allowance"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What one member of staff sees.

    Attributes:
        has_filters: whether anything of it is of a period.
        models: those that can be chosen.
        left_out: calls that are in no figure of it, see `Books`.
    """

    asked: Asked
    models: list[str]
    has_filters: bool
    is_empty: bool
    left_out: int = 0
    cards: list[Card] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    @property
    def drawn(self) -> dict[str, Any]:
        """The charts, for the script."""
        return {chart.slug: chart.drawn for chart in self.charts}

    def table(self, slug: str) -> Table | None:
        """The one of this name, charts' among them; None where there is none, or it may not be seen."""
        tables = [*self.tables, *(chart.table for chart in self.charts)]
        return next((table for table in tables if table.slug == slug), None)


def dashboard(request: HttpRequest, *, whole: str = "") -> Dashboard:
    """What the request asks for, read from one state of the ledger's sums.

    Args:
        whole: the table that is wanted with all its rows, if any.
    """
    return consistently(lambda books: _read(books, request, whole))


def context(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    """Unfold calls it for the first page of the admin."""
    return given | {"dashboard": dashboard(request), "periods": PERIODS, "title": "Dashboard"}


def _read(books: Books, request: HttpRequest, whole: str) -> Dashboard:
    user = request.user
    sees_ledger, sees_transcripts = user.has_perm(LEDGER), user.has_perm(TRANSCRIPTS)
    models: list[str] = []
    if sees_ledger or sees_transcripts:
        models = books.known_models(Question(today() - MOST_DAYS * A_DAY, today()))
    chosen = asked(request.GET if models or sees_ledger or sees_transcripts else {}, models=models)
    left_out = books.left_out if sees_ledger else 0
    found = Dashboard(
        chosen,
        models,
        has_filters=sees_ledger or sees_transcripts,
        is_empty=sees_ledger and not models and not left_out,
        left_out=left_out,
    )
    for section in _sections(books, chosen, user, whole):
        found.cards.extend(section.cards)
        found.charts.extend(section.charts)
        found.tables.extend(section.tables)
    return found


def _sections(books: Books, chosen: Asked, user: User | Any, whole: str) -> list[Section]:
    """Those that the user may see, in the order of the page."""

    def limit(slug: str) -> int | None:
        return None if whole == slug else attention.ROWS

    sections = []
    sees_transcripts = user.has_perm(TRANSCRIPTS)
    if user.has_perm(LEDGER):
        sections.append(
            spending.section(books, chosen, may_read_transcripts=sees_transcripts, every_user=limit("users") is None)
        )
    if sees_transcripts:
        sections.append(attention.feedback(chosen, limit=limit("feedback")))
    if user.has_perm(DOCUMENTS):
        sections.append(attention.ingestion(limit=limit("ingestion")))
    if user.has_perm(LEDGER):
        sections.append(attention.providers())
    if user.has_perm(ALLOWANCES):
        sections.append(attention.budgets(limit=limit("budgets")))
    return sections
