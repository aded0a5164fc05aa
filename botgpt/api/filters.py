"""Filters that every list and lookup goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import BaseFilterBackend

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView


class OwnedByCaller(BaseFilterBackend):
    """Only what the caller may see; anything else does not exist, so a stranger's id is a 404."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        return queryset.visible_to(request.user)  # type: ignore[attr-defined, no-any-return]


class GivenFilters(DjangoFilterBackend):
    """django-filter's, which builds a form for each request, where the address has something to filter by."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = self.get_filterset_class(view, queryset)
        if filterset is None or filterset.base_filters.keys().isdisjoint(request.query_params):
            return queryset
        return super().filter_queryset(request, queryset, view)  # type: ignore[no-any-return]
