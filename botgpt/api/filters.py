"""Filters that every list and lookup goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.filters import BaseFilterBackend

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView


class OwnedByCaller(BaseFilterBackend):
    """Only what the caller may see; anything else does not exist, so a stranger's id is a 404."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        return queryset.visible_to(request.user)  # type: ignore[attr-defined, no-any-return]
