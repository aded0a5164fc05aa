"""The admin's trail: who read which transcript, and who changed what, from which address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botgpt.accounts.models import AuditEvent

if TYPE_CHECKING:
    from django.contrib.admin.models import LogEntry
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

    from botgpt.accounts.models import AuditEventQuerySet


class AuditedAdmin:
    """Put before every admin class by the site: changes are recorded, and with `audit_reads` whoever opens a row too.

    It stands where Django writes its own history, so what is in one is in the other.
    """

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        row = kwargs.get("obj")
        if getattr(self, "audit_reads", False) and row is not None and request.method == "GET":
            self.log_read(request, row)
        return response

    def log_read(self, request: HttpRequest, row: Model) -> None:
        """For pages of a row beside its own."""
        events().record(AuditEvent.Action.READ, row, request=request, detail=_owner_of(row))

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        events().record(AuditEvent.Action.ADD, obj, request=request)
        return super().log_addition(request, obj, message)  # type: ignore[misc, no-any-return]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        entry: LogEntry = super().log_change(request, obj, message)  # type: ignore[misc]
        events().record(AuditEvent.Action.CHANGE, obj, request=request, detail=str(entry.get_change_message()))
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for row in queryset:
            events().record(AuditEvent.Action.DELETE, row, request=request, detail=_owner_of(row))
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def events() -> AuditEventQuerySet:
    return AuditEvent.objects.all()


def _owner_of(row: Model) -> str:
    owner = getattr(row, "user", None) or getattr(row, "owner", None)
    return f"of {owner}" if owner else ""
