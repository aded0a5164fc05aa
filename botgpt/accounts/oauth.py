"""OAuth 2 for applications of others: django-oauth-toolkit's views, with our page and our content policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oauth2_provider.views import AuthorizationView

if TYPE_CHECKING:
    from django.http import HttpResponse
    from oauth2_provider.forms import AllowForm


class ConsentView(AuthorizationView):
    """Asks a person whether an application may act for them."""

    def form_invalid(self, form: AllowForm) -> HttpResponse:  # noqa: ARG002  Django's signature
        context = {"error": {"description": "the request is not complete."}}
        return self.render_to_response(context, status=400)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **kwargs)
        # The form's answer is a redirect to the application, which browsers count as where the form goes.
        redirect = urlsplit(context.get("redirect_uri") or "")
        if redirect.netloc:
            target = f"{redirect.scheme}://{redirect.netloc}"
            response._csp_update = {"form-action": [target]}  # type: ignore[attr-defined]
        return response
