"""The dashboard's tables as CSV files."""

from __future__ import annotations

import csv
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.http import Http404, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from botgpt.accounts.models import AuditEvent
from llm.models import LLMCall

from .page import dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from .tables import Table

# What spreadsheets take for a formula, also after spaces. A number keeps its minus.
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Line:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


@require_safe
def as_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The table, whole, with the filters of the address."""
    table = dashboard(request, whole=slug).table(slug)
    if table is None:
        raise Http404(f"There is no table {slug}, or it is not yours to see.")
    if table.names_people:  # what several users did is in no transcript
        AuditEvent.objects.all().record(
            AuditEvent.Action.READ, LLMCall(), request=request, detail=f"CSV of {slug}: {request.GET.urlencode()}"
        )
    response = StreamingHttpResponse(lines(table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="botgpt-{slug}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def lines(table: Table) -> Iterator[str]:
    """The header and the rows, as RFC 4180 has them."""
    writer = csv.writer(_Line())
    yield writer.writerow([column.title for column in table.columns])
    for row in table.rows:
        yield writer.writerow([plain(value) for value in row])


def plain(value: Any) -> str:
    """A value as a cell that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = str(value)
    if isinstance(value, str) or not isinstance(value, int | float):
        text = f"'{text}" if text.lstrip(" ").startswith(FORMULAS) else text
    return text


urlpatterns = [path("dashboard/<slug:slug>.csv", admin.site.admin_view(as_csv), name="dashboard-csv")]
