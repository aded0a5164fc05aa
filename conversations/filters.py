"""The filters of the list of conversations."""

from __future__ import annotations

from typing import ClassVar

import django_filters

from documents.filters import GivenChoiceFilter

from .models import Conversation


class ConversationFilter(django_filters.FilterSet):
    """`mode`, and `search` in the title."""

    search = django_filters.CharFilter(field_name="title", lookup_expr="icontains", label="Text in the title.")
    mode = GivenChoiceFilter(choices=Conversation.Mode.choices, label="Only conversations of this mode.")

    class Meta:
        model = Conversation
        fields: ClassVar = ["search", "mode"]
