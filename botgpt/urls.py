"""Every address of the service."""

from csp.decorators import csp_update
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from oauth2_provider.views import OAuthServerMetadataView, RevokeTokenView, TokenView

from botgpt.accounts.oauth import ConsentView
from botgpt.api import errors
from botgpt.api.throttles import limit_logins
from botgpt.chat.views import chat
from botgpt.operations import exposition, health, policies

api: list[URLPattern | URLResolver] = [
    path("", include("conversations.urls")),
    path("", include("documents.urls")),
    path("", include("llm.routes")),
    path("auth/", include("botgpt.accounts.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("redoc", csp_update(policies.REDOC)(SpectacularRedocView.as_view(url_name="schema")), name="redoc"),
]

# Under the library's own names, by which its discovery document finds them. Our API alone takes the tokens, so nobody
# needs to ask what one is worth.
oauth = [
    path("authorize", ConsentView.as_view(), name="authorize"),
    path("token", limit_logins(TokenView.as_view()), name="token"),
    path("revoke", limit_logins(RevokeTokenView.as_view()), name="revoke-token"),
]

urlpatterns = [
    path("", chat, name="chat"),
    path("c/<int:conversation_id>", chat),  # its scripts read the address
    path("admin/", include("botgpt.dashboard.exports")),
    path("admin/", admin.site.urls),
    path("login", limit_logins(LoginView.as_view(template_name="login.html")), name="login"),
    path("logout", LogoutView.as_view(next_page="login"), name="logout"),
    path("api/v1/auth/oauth/", include((oauth, "oauth2_provider"))),
    path(".well-known/oauth-authorization-server", OAuthServerMetadataView.as_view(), name="oauth-server-metadata"),
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
