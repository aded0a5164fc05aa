"""Answers those who ask whether the service lives, by whatever name they reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

PATHS = {"/health", "/health/ready", "/metrics"}


class ProbesMiddleware:
    """Stands before Django's check of the host: orchestrators and Prometheus know an address of the inside, no name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in PATHS:
            return self.get_response(request)
        request.resolver_match = match = resolve(request.path_info)
        response: HttpResponse = match.func(request)
        return response
