"""The dashboard's tables as CSV files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import Http404, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from botgpt.accounts.models import AuditEvent
from llm.models import LLMCall
from llm.spreadsheets import csv_lines

from .page import dashboard

if TYPE_CHECKING:
    from django.http import HttpRequest


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
    lines = csv_lines((column.title for column in table.columns), table.rows)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="botgpt-{slug}.csv"'
    response["Cache-Control"] = "no-store"
    return response


urlpatterns = [path("dashboard/<slug:slug>.csv", admin.site.admin_view(as_csv), name="dashboard-csv")]
