"""Limits on calls: of each user, each key and each address, with budgets of their own for what costs more.

A view names the budget of its actions with `limits`, as in `limits = {"create": "turns"}`; all others are `reads`.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import render
from rest_framework.throttling import BaseThrottle

from botgpt.accounts.addresses import client_address

from .counters import counter
from .errors import error_response
from .rates import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponse, HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.views import APIView


@dataclass(frozen=True, slots=True)
class Usage:
    """How far a budget is used; `seconds` until it is full again."""

    limit: int
    used: int
    seconds: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.seconds),
        }


def take(budget: str, who: str, *, rate: Rate | None = None) -> Usage | None:
    """Take one call from a budget; None when it has no limit, or nothing can be counted."""
    rate = rate or settings.LIMITS[budget]
    if rate is None:
        return None
    now = time.time()
    ends = (int(now) // rate.seconds + 1) * rate.seconds
    used = counter.add_one(f"{budget}:{who}", ends=ends)
    return None if used is None else Usage(rate.calls, used, math.ceil(ends - now))


class CallLimits(BaseThrottle):
    """Takes a call from every budget that it counts against; the one that is nearest to its end is shown."""

    usage: Usage | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        usages = [usage for usage in self._take(request, view) if usage]
        self.usage = min(usages, key=lambda usage: (usage.remaining, -usage.seconds), default=None)
        request._request.usage = self.usage  # type: ignore[attr-defined]
        request._request.is_counted = True  # type: ignore[attr-defined]
        return not any(usage.is_exceeded for usage in usages)

    def wait(self) -> float | None:
        return self.usage.seconds if self.usage else None

    @staticmethod
    def _take(request: Request, view: APIView) -> Iterator[Usage | None]:
        budget = getattr(view, "limits", {}).get(getattr(view, "action", None), "reads")
        if budget == "logins":
            yield take("logins", f"address:{client_address(request._request)}")
        elif not request.user or not request.user.is_authenticated:
            yield take("anonymous", f"address:{client_address(request._request)}")
        else:
            yield take(budget, f"user:{request.user.pk}")
            if calls := getattr(request.auth, "calls_per_minute", None):
                yield take("key", str(request.auth.pk), rate=Rate(calls, 60))


class LimitsMiddleware:
    """Writes the headers, and counts the calls that were refused before a view could."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/api/"):
            return response
        usage = getattr(request, "usage", None)
        if not hasattr(request, "is_counted"):  # no or bad credentials, no such address, a body too large
            usage = take("anonymous", f"address:{client_address(request)}")
            if usage and usage.is_exceeded:
                response.close()
                response = too_many_calls(usage.seconds)
        for name, value in usage.headers.items() if usage else ():
            response[name] = value
        return response


def limit_logins(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For pages with a form to log in: sending it takes from the address's budget."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        usage = take("logins", f"address:{client_address(request)}")
        request.usage, request.is_counted = usage, True  # type: ignore[attr-defined]
        if usage and usage.is_exceeded:
            return too_many_logins(request, usage.seconds)
        return view(request, *args, **kwargs)

    return limited


def too_many_calls(seconds: int, *, detail: str = "") -> HttpResponse:
    """429 as the API says it, outside REST framework's views."""
    detail = detail or f"Too many calls were refused. Try again in {seconds} s."
    response = error_response(429, code="rate_limited", detail=detail, error="Too many requests")
    response["Retry-After"] = str(seconds)
    return response


def too_many_logins(request: HttpRequest, seconds: int) -> HttpResponse:
    """429 for whoever logs in too often: a page for browsers, the error body for programs."""
    wait = f"{math.ceil(seconds / 60)} min" if seconds > 60 else f"{seconds} s"  # noqa: PLR2004
    detail = f"Too many attempts to log in. Try again in {wait}."
    if request.path.startswith("/api/"):
        return too_many_calls(seconds, detail=detail)
    page = render(request, "notice.html", {"title": "Too many attempts", "message": detail}, status=429)
    page["Retry-After"] = str(seconds)
    return page


def account_locked(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:  # noqa: ARG001
    """django-axes' answer when a username is locked for an address."""
    return too_many_logins(request, int(settings.AXES_COOLOFF_TIME.total_seconds()))
