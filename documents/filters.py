"""The filters of the list of documents."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError

from .files import MAX_FILENAME
from .models import Document


class _GivenChoiceField(django_filters.fields.ChoiceField):
    def clean(self, value: Any) -> Any:
        if value == "":
            raise ValidationError(self.error_messages["invalid_choice"], params={"value": value})
        return super().clean(value)


class GivenChoiceFilter(django_filters.ChoiceFilter):
    """One of the choices, or not given at all: `?status=` is a mistake of the caller, not a wish for everything."""

    field_class = _GivenChoiceField


class DocumentFilter(django_filters.FilterSet):
    """`status`, and `search` in the name."""

    # SQLite refuses patterns of more than 50,000 bytes; nothing longer than a name can be in one.
    search = django_filters.CharFilter(
        field_name="filename", lookup_expr="icontains", max_length=MAX_FILENAME, label="Text in the name."
    )
    status = GivenChoiceFilter(choices=Document.Status.choices, label="Only documents in this status.")

    class Meta:
        model = Document
        fields: ClassVar = ["search", "status"]
