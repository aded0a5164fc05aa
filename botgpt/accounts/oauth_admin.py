"""The admin of applications that call over OAuth 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.utils.html import format_html
from oauth2_provider.models import Application
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

if TYPE_CHECKING:
    from django.http import HttpRequest

# The others of the library are discouraged, or for devices without a browser.
GRANTS = (
    (Application.GRANT_AUTHORIZATION_CODE, "Authorization code: acts for the person who agrees"),
    (Application.GRANT_CLIENT_CREDENTIALS, "Client credentials: acts for its owner"),
)


class ApplicationForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """An application, with the two grants that are offered."""

    authorization_grant_type = forms.ChoiceField(label="Grant", choices=GRANTS, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Application
        fields = ("name", "user", "client_type", "authorization_grant_type", "redirect_uris")
        labels = {"user": "Owner", "redirect_uris": "Redirect addresses"}  # noqa: RUF012
        help_texts = {  # noqa: RUF012
            "user": "With client credentials, calls act as this user.",
            "client_type": "Confidential: it can keep a secret. Public: an app or a page, which cannot.",
            "redirect_uris": "Where people are sent back to after they agreed; https, several with spaces between.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("authorization_grant_type") == Application.GRANT_CLIENT_CREDENTIALS:
            if not cleaned.get("user"):
                self.add_error("user", "Somebody must own it: its calls act as that user.")
            if cleaned.get("client_type") == Application.CLIENT_PUBLIC:
                self.add_error("client_type", "Client credentials need a client that can keep its secret.")
        return cleaned


class ApplicationAdmin(ModelAdmin):
    """Applications: made here with their secret shown once."""

    form = ApplicationForm
    list_display = ("name", "client_id", "user", "client_type", "grant", "created")
    list_select_related = ("user",)
    search_fields = ("name", "=client_id", "user__username")
    ordering = ("-id",)
    sortable_by = ()
    autocomplete_fields = ("user",)

    def get_fields(self, request: HttpRequest, obj: Application | None = None) -> tuple[str, ...]:
        return (*ApplicationForm.Meta.fields, "client_id", "created") if obj else ApplicationForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> tuple[str, ...]:
        return ("client_id", "created") if obj else ()

    def save_model(self, request: HttpRequest, obj: Application, form: ApplicationForm, change: bool) -> None:  # noqa: FBT001
        secret = obj.client_secret  # in clear until it is saved
        super().save_model(request, obj, form, change)
        if change or obj.client_type == Application.CLIENT_PUBLIC:
            return
        text = 'The secret of “{}”, shown only now: <code class="token">{}</code> Copy it: only a hash is stored.'
        self.message_user(request, format_html(text, obj.name, secret), messages.WARNING)

    @display(description="Grant")
    def grant(self, application: Application) -> str:
        return str(application.get_authorization_grant_type_display())
