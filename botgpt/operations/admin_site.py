"""The admin's site: what every page of it has in common, above all that no list counts a whole table."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib.admin import ShowFacets
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.paginator import Paginator
from django.db.models import CASCADE
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite
from unfold.views import ChangeList

from botgpt.api.throttles import limit_logins

from .audited import AuditedAdmin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

DELETIONS_NAMED = 50


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Counts at most `CAP` rows, so that a list of a million costs what a list of ten thousand does.

    Pages end there too: what lies deeper is found with the search and the filters, not by leafing.
    """

    CAP = 10_000
    template_name = "admin/capped_pagination.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.CAP)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than were counted."""
        return self._counted > self.CAP

    @cached_property
    def _counted(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[: self.CAP + 1].count()


class UncountedChangeList(ChangeList):
    """A list that knows the number of its rows only as far as the paginator counted them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # so that no "show all" is offered where all is shown


def deletion_in_figures(
    model_admin: ModelAdmin[Any], objs: Iterable[Model], request: HttpRequest
) -> tuple[list[str], dict[str, int], set[str], list[str]]:
    """What the page that asks for confirmation shows: the rows themselves, and how many go with them.

    Django's own lists everything that would go; for a user with a million messages that takes minutes.
    """
    rows = list(objs)
    model, site = model_admin.model, model_admin.admin_site
    names = [str(row) for row in rows[:DELETIONS_NAMED]]
    if len(rows) > DELETIONS_NAMED:
        names.append(f"… and {len(rows) - DELETIONS_NAMED} more")
    figures = {str(model._meta.verbose_name_plural): len(rows)}
    refused = {str(model._meta.verbose_name) for row in rows if not model_admin.has_delete_permission(request, row)}
    for relation in model._meta.related_objects:
        if getattr(relation, "on_delete", None) is not CASCADE:
            continue
        related = relation.related_model
        count = related._base_manager.filter(**{f"{relation.field.name}__in": rows}).count()
        figures[str(related._meta.verbose_name_plural)] = count
        if not count or not site.is_registered(related):
            continue
        related_admin = site.get_model_admin(related)
        if not getattr(related_admin, "goes_with_owner", False) and not related_admin.has_delete_permission(request):
            refused.add(str(related._meta.verbose_name))
    return names, figures, refused, []


class AdminSite(UnfoldAdminSite):
    """Registers every model with the rules for large tables and the audit trail, so that no class can forget them."""

    RULES: ClassVar = {
        "paginator": CappedPaginator,
        "show_full_result_count": False,
        "get_changelist": lambda *_, **__: UncountedChangeList,
        "get_deleted_objects": deletion_in_figures,
        "list_disable_select_all": True,  # an action is for the rows that were seen, a page at most
        "show_facets": ShowFacets.NEVER,  # they count every choice of every filter
    }

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        given = admin_class or ModelAdmin
        audited = type(given.__name__, (AuditedAdmin, given), {"__module__": given.__module__})
        super().register(model_or_iterable, audited, **(self.RULES | options))

    @method_decorator(limit_logins)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        is_told = REDIRECT_FIELD_NAME in request.GET or REDIRECT_FIELD_NAME in request.POST
        if response.status_code == HTTPStatus.FOUND and not is_told:
            return redirect("admin:index")  # Unfold's form leaves this to the setting, which is for everybody
        return response


PAGES = (  # group, title, icon, model as its permissions and addresses write it
    ("Chat", "Conversations", "forum", "conversations.conversation"),
    ("Chat", "Documents", "description", "documents.document"),
    ("Models", "Ledger of calls", "receipt_long", "llm.llmcall"),
    ("Models", "Prices", "sell", "llm.modelprice"),
    ("Models", "Budgets", "savings", "llm.budget"),
    ("Models", "Allowances", "data_usage", "llm.allowance"),
    ("Accounts", "Users", "person", "accounts.user"),
    ("Accounts", "API keys", "key", "accounts.apikey"),
    ("Accounts", "Applications", "apps", "oauth2_provider.application"),
    ("Accounts", "Groups", "group", "auth.group"),
    ("Accounts", "Audit log", "policy", "accounts.auditevent"),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: what the user may see, in groups."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for group, title, icon, model in PAGES:
        app, name = model.split(".")
        if request.user.has_perms([f"{app}.view_{name}"]):
            link = reverse(f"admin:{app}_{name}_changelist")
            groups.setdefault(group, []).append({"title": title, "icon": icon, "link": link})
    sections = [{"title": group, "separator": True, "items": items} for group, items in groups.items()]
    if sections:
        sections[0]["separator"] = False
    return sections


def stylesheet(request: HttpRequest) -> str:  # noqa: ARG001  Unfold's signature
    """Where the rules beyond Unfold's own are, under the name that the static files have today."""
    return static("botgpt/admin.css")


def icon(request: HttpRequest) -> str:  # noqa: ARG001  Unfold's signature
    """The picture in the browser's tab."""
    return static("botgpt/icon.svg")


def environment(request: HttpRequest) -> list[str] | None:  # noqa: ARG001  Unfold's signature
    """The badge beside the title: says on every page that no language model answers."""
    from llm.providers import registry

    return ["No language model configured", "warning"] if registry.is_offline() else None
