"""Pages of a list, as the contract prints them: `{conversations, total, page, page_size}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

MAX_PAGE_SIZE = 100


class PageParams(serializers.Serializer[dict[str, int]]):
    """The query parameters of a paged list."""

    # The upper bound keeps OFFSET inside 64 bits.
    page = serializers.IntegerField(min_value=1, max_value=10_000_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=20)


class NamedPagination(BasePagination):
    """Numbered pages under the name that the view gives them with `results_name`.

    A page past the end is empty, not an error. A view that knows its total without counting has `get_total`.
    """

    results_name = "results"

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        params = PageParams(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        self.page: int = params.validated_data["page"]
        self.page_size: int = params.validated_data["page_size"]
        self.results_name = getattr(view, "results_name", self.results_name)
        get_total = getattr(view, "get_total", None)
        self.total: int = get_total(queryset) if get_total else queryset.count()
        start = (self.page - 1) * self.page_size
        return list(queryset[start : start + self.page_size])

    def get_paginated_response(self, data: Any) -> Response:
        return Response({self.results_name: data, "total": self.total, "page": self.page, "page_size": self.page_size})

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
        return [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
            for name, schema, description in (
                ("page", page, "Which page, counted from 1."),
                ("page_size", size, "How many there are on a page."),
            )
        ]
