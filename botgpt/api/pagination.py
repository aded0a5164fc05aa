"""Pages of a list, as the contract prints them: `{conversations, total, page, page_size}`, and the link to the next."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from .cursors import Cursor

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView

MAX_PAGE_SIZE = 100


class CursorField(serializers.Field[Cursor, str, str, Any]):
    """Text to a `Cursor`."""

    def to_internal_value(self, data: str) -> Cursor:
        try:
            return Cursor.parse(data)
        except (ValueError, OverflowError) as exc:
            raise serializers.ValidationError("Take the cursor from the `Link` of the page before.") from exc


class PageParams(serializers.Serializer[dict[str, Any]]):
    """The query parameters of a paged list."""

    # The upper bound keeps OFFSET inside 64 bits.
    page = serializers.IntegerField(min_value=1, max_value=10_000_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=20)
    cursor = CursorField(required=False)


class NamedPagination(BasePagination):
    """Numbered pages under the name that the view gives them with `results_name`.

    A page past the end is empty, not an error. Rows are counted only where the page itself does not show how many there
    are, and not even then by a view with `get_total`; one with `get_first` reads the first page itself. One whose rows
    come newest first by a moment, then by key, names that moment in `cursor_field`: its answers link to the next page,
    which costs the same at any depth. A numbered page is counted off from the first row.
    """

    results_name = "results"

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.results_name = getattr(view, "results_name", self.results_name)
        moment = getattr(view, "cursor_field", "")
        given = request.query_params
        asked = _asked(**{name: given[name] for name in ("page", "page_size", "cursor") if name in given})
        self.page: int = asked["page"]
        self.page_size: int = asked["page_size"]
        cursor: Cursor | None = asked.get("cursor") if moment else None
        if cursor:
            self.page, self.total = cursor.page, cursor.total
            found = list(cursor.rest_of(queryset, moment=moment)[: self.page_size + 1])
        else:
            start = (self.page - 1) * self.page_size
            found = self._numbered(queryset, start, view)
            is_last = len(found) <= self.page_size and (found or not start)
            self.total = start + len(found) if is_last else self._total(queryset, view)
        rows = found[: self.page_size]
        self.next = self._link(request, rows[-1], moment) if moment and len(found) > self.page_size else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        body = {self.results_name: data, "total": self.total, "page": self.page, "page_size": self.page_size}
        return Response(body, headers={"Link": f'<{self.next}>; rel="next"'} if self.next else None)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = self.results_name
        number = {"type": "integer"}
        return {
            "type": "object",
            "required": [name, "total", "page", "page_size"],
            "properties": {
                name: schema,
                "total": number | {"example": 50},
                "page": number | {"example": 1},
                "page_size": number | {"example": 20},
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        page = {"type": "integer", "minimum": 1, "maximum": 10_000_000, "default": 1}
        size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": 20}
        parameters = [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
            for name, schema, description in (
                ("page", page, "Which page, counted from 1."),
                ("page_size", size, "How many there are on a page."),
            )
        ]
        if getattr(view, "cursor_field", ""):
            about = (
                'Where the page begins, in place of `page`: from the address that the `Link` header (`rel="next"`) of '
                "the page before gives. It costs the same at any depth, and skips and repeats nothing when rows are "
                "added at the top; `total` stays what it was on the first page."
            )
            parameters.append(
                {"name": "cursor", "in": "query", "required": False, "description": about, "schema": {"type": "string"}}
            )
        return parameters

    def _numbered(self, queryset: QuerySet[Any], start: int, view: APIView | None) -> list[Any]:
        """The rows from there on, one more than the page has. What lies before is passed over in the index alone."""
        if not start and (get_first := getattr(view, "get_first", None)):
            return list(get_first(queryset, self.page_size + 1))
        page = slice(start, start + self.page_size + 1)
        return list(queryset.filter(pk__in=queryset.values("pk")[page]) if start else queryset[page])

    @staticmethod
    def _total(queryset: QuerySet[Any], view: APIView | None) -> int:
        get_total = getattr(view, "get_total", None)
        return int(get_total(queryset) if get_total else queryset.count())

    def _link(self, request: Request, last: Any, moment: str) -> str:
        cursor = Cursor(at=getattr(last, moment), key=last.pk, page=self.page + 1, total=self.total)
        query = {name: values for name, values in request.query_params.lists() if name != "page"}
        query["cursor"] = [str(cursor)]
        return f"{request.build_absolute_uri(request.path)}?{urlencode(query, doseq=True)}"


@lru_cache(256)
def _asked(**given: str) -> dict[str, Any]:
    """The parameters of a page; clients ask for the same few again and again, and checking them takes longer."""
    params = PageParams(data=given)
    params.is_valid(raise_exception=True)
    return dict(params.validated_data)
