"""The chat page: one template without any data; its scripts are a client of the REST API like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
@never_cache
@ensure_csrf_cookie  # the scripts send it back with what changes something
def chat(request: HttpRequest, **_: Any) -> HttpResponse:
    """The page, for whichever conversation the address names; those who have to log in are sent there first."""
    if not (request.user.is_authenticated or settings.ANONYMOUS_USER):
        return redirect_to_login(request.get_full_path())
    return render(request, "chat/chat.html")
