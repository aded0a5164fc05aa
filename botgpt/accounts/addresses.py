"""Where a request comes from."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address; None when there is none, as on a Unix socket.

    `X-Forwarded-For` counts only with `BEHIND_PROXY`, and of it only what our own proxies wrote: each appends the
    address it was called from, so with `PROXY_COUNT` of them it is that many places from the end. What stands before
    it is the client's word.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        forwarded = request.META["HTTP_X_FORWARDED_FOR"].split(",") if "HTTP_X_FORWARDED_FOR" in request.META else []
        if len(forwarded) >= settings.PROXY_COUNT:
            address = forwarded[-settings.PROXY_COUNT]
    try:
        return str(ipaddress.ip_address(address.strip()))
    except ValueError:
        return None
