"""Every address of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from botgpt.api import errors
from botgpt.operations import exposition, health

api: list[URLPattern | URLResolver] = [
    path("", include("conversations.urls")),
    path("", include("documents.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("redoc", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("health", health.health),
    path("health/ready", health.ready),
    path("metrics", exposition.metrics),
    # Last, so that an unknown address gets our error body in development too, where Django shows its own page.
    re_path(r"^(?!admin)", errors.not_found),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
