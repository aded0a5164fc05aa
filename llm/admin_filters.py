"""A filter by days for long tables: from, to, both included."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.dateparse import parse_date
from unfold.contrib.filters.admin import RangeDateFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class DayRangeFilter(RangeDateFilter):
    """Unfold's filter, for moments: the last day counts to its end, and a date that is none is passed over."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        if first := self.day("from"):
            queryset = queryset.filter(**{f"{self.field_path}__gte": midnight(first)})
        if last := self.day("to"):
            queryset = queryset.filter(**{f"{self.field_path}__lt": midnight(last + dt.timedelta(days=1))})
        return queryset

    def day(self, end: str) -> dt.date | None:
        """The day that was asked for at this end, `from` or `to`."""
        try:
            return parse_date(self.used_parameters.get(f"{self.parameter_name}_{end}", ""))
        except ValueError:  # such as 2026-02-30
            return None


def midnight(day: dt.date) -> dt.datetime:
    """When the day begins, in the time zone of the service."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))
