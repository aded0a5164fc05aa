"""Every address of the service."""

from csp.decorators import csp_update
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from botgpt.api import errors
from botgpt.operations import health, policies

api: list[URLPattern | URLResolver] = [
    path("", include("conversations.urls")),
    path("", include("documents.urls")),
    path("auth/", include("botgpt.accounts.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("redoc", csp_update(policies.REDOC)(SpectacularRedocView.as_view(url_name="schema")), name="redoc"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("health", health.health),
    path("health/ready", health.ready),
    # Last, so that an unknown address gets our error body in development too, where Django shows its own page.
    re_path(r"^(?!admin)", errors.not_found),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
