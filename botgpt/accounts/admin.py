"""The admin of users, groups and API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from oauth2_provider.models import AccessToken, Grant, IDToken, RefreshToken
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from .models import ApiKey, AuditEvent, User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

STATE_COLOURS = {"active": "success", "expired": "warning", "revoked": "danger"}

admin.site.unregister(Group)
# Tokens are nothing to look at. What can be done about one is done where it comes from: its user or its application.
admin.site.unregister([OutstandingToken, BlacklistedToken, AccessToken, RefreshToken, Grant, IDToken])


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Django's, in the site's dress."""


class ApiKeyStateFilter(admin.SimpleListFilter):
    """Active, expired or revoked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state.capitalize()) for state in STATE_COLOURS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        expired = Q(expires_at__lte=timezone.now())
        match self.value():
            case "active":
                return queryset.exclude(expired).filter(revoked_at=None)
            case "expired":
                return queryset.filter(expired, revoked_at=None)
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


class ShowsApiKeys:
    """The columns of an API key wherever keys are listed. Its digest is in none of them."""

    @display(description="Key")
    def token_hint(self, key: ApiKey) -> str:
        return f"{ApiKey.MARKER}{key.prefix}…" if key.prefix else "shown once, after saving"

    @display(description="Scopes")
    def scope_list(self, key: ApiKey) -> str:
        return key.scope_list

    @display(description="State", label=STATE_COLOURS)
    def state(self, key: ApiKey) -> str:
        return key.state


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """An API key, with its scopes to tick."""

    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        initial=ApiKey.Scope.values,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Read: every GET, and searches. Write: everything that creates, changes or deletes.",
    )

    class Meta:
        model = ApiKey
        fields = ("user", "name", "scopes", "expires_at", "calls_per_minute")
        help_texts: ClassVar = {
            "name": "What the key is for, so that you know later which one to revoke.",
            "expires_at": "Empty: the key works until it is revoked.",
            "calls_per_minute": "On top of the user's limits, which all their credentials share. Empty: only those.",
        }


@admin.register(ApiKey)
class ApiKeyAdmin(ShowsApiKeys, ModelAdmin):
    """API keys: created here with the token shown once, revoked here, never readable."""

    form = ApiKeyForm
    list_display = ("name", "user", "token_hint", "scope_list", "state", "expires_at", "last_used_at", "created_at")
    list_filter = (ApiKeyStateFilter, ("user", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("user",)
    search_fields = ("name", "=prefix", "user__username__startswith")
    search_help_text = "Name, the beginning of a username, or the 12 characters after bgpt_"
    ordering = ("-id",)
    sortable_by = ()
    autocomplete_fields = ("user",)
    actions = ("revoke_selected",)
    actions_submit_line = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        asked = ("user", "name", "scopes", "expires_at", "calls_per_minute")
        return (*asked, "token_hint", "state", "created_at", "last_used_at", "revoked_at") if obj else asked

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        shown = ("token_hint", "state", "created_at", "last_used_at", "revoked_at")
        return ("user", *shown) if obj else shown

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ApiKeyForm, change: bool) -> None:  # noqa: FBT001
        if change:
            super().save_model(request, obj, form, change)
            return
        asked = {name: getattr(obj, name) for name in form.Meta.fields}
        key, token = ApiKey.objects.issue(**asked)
        obj.pk = key.pk
        obj.refresh_from_db()
        self.message_user(
            request,
            format_html(
                'The token of “{}”, shown only now: <code class="token">{}</code> Copy it: it is stored nowhere.',
                obj.name,
                token,
            ),
            messages.WARNING,
        )

    def has_revoke_permission(self, request: HttpRequest, object_id: int | str | None = None) -> bool:
        """Whether the button is offered: not for a key that is revoked already."""
        revocable = object_id is None or ApiKey.objects.filter(pk=object_id, revoked_at=None).exists()
        return revocable and self.has_change_permission(request)

    @action(description="Save and revoke", permissions=["revoke"], variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, obj: ApiKey) -> None:
        obj.revoke()
        self.log_change(request, obj, "Revoked.")
        self.message_user(request, f"“{obj.name}” is revoked.", messages.SUCCESS)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset.filter(revoked_at=None))
        for key in keys:
            key.revoke()
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"Revoked: {len(keys)}.", messages.SUCCESS)


class ApiKeyInline(ShowsApiKeys, TabularInline):
    """A user's keys, each linked to its own page."""

    model = ApiKey
    fields = readonly_fields = ("link", "token_hint", "scope_list", "state", "expires_at", "last_used_at")
    ordering = ("-id",)
    per_page = 10
    hide_title = True
    can_delete = False

    @display(description="Name")
    def link(self, key: ApiKey) -> str:
        return format_html('<a href="{}">{}</a>', reverse("admin:accounts_apikey_change", args=[key.pk]), key.name)

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


class NewUserForm(UserCreationForm):
    """A new user: name, address, password."""

    class Meta:
        model = User
        fields = ("username", "email")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Users. Only a superuser can make or change one who may enter the admin."""

    form = UserChangeForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "conversation_count", "is_active", "is_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username__startswith", "email__startswith")  # what an index finds
    search_help_text = "The beginning of a username or of an address"
    ordering = ("-id",)
    sortable_by = ("username",)
    inlines = (ApiKeyInline,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Use", {"fields": ("conversations", "documents", "created_at", "last_login")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )
    readonly_fields = ("conversations", "documents", "created_at", "last_login")

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[TabularInline], ...]:
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Who is not a superuser hands out no permissions, or could hand them to themselves."""
        fields = tuple(super().get_readonly_fields(request, obj))
        granted = ("is_staff", "is_superuser", "groups", "user_permissions")
        return fields if request.user.is_superuser else fields + granted

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._may_touch(request, obj) and super().has_delete_permission(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, user: User | None) -> bool:
        """A superuser's account, password and all, is for superusers."""
        return user is None or not user.is_superuser or bool(request.user.is_superuser)

    @display(description="Conversations")
    def conversations(self, user: User) -> str:
        url = reverse("admin:conversations_conversation_changelist")
        return format_html('<a href="{}?user__id__exact={}">{}</a>', url, user.pk, user.conversation_count)

    @display(description="Documents")
    def documents(self, user: User) -> str:
        return format_html(
            '<a href="{}?owner__id__exact={}">show</a>', reverse("admin:documents_document_changelist"), user.pk
        )


ACTION_COLOURS = {"read": "info", "add": "success", "change": "warning", "revoke": "danger", "delete": "danger"}


@admin.register(AuditEvent)
class AuditEventAdmin(ModelAdmin):
    """The audit log: read here, written by what happens, changed by nobody."""

    list_display = ("at", "actor_name", "action_label", "object_type", "object_id", "detail", "address")
    list_filter = (("action", ChoicesDropdownFilter), ("actor", AutocompleteSelectFilter))
    list_filter_submit = True
    search_fields = ("=actor_name", "=object_type", "=object_id", "=address")
    search_help_text = "A username, a type such as accounts.apikey, an id, or an address, in full"
    ordering = ("-id",)
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        return False

    @display(description="Action", label=ACTION_COLOURS)
    def action_label(self, event: AuditEvent) -> str:
        return event.action
