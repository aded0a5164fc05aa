"""`/metrics`: what Prometheus reads, summed over all processes of this machine."""

from __future__ import annotations

import ipaddress
import logging
import os
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from botgpt.api.errors import error_response
from conversations.models import Message
from documents.models import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

logger = logging.getLogger(__name__)

WAITING = (Document.Status.PENDING, Document.Status.PROCESSING, Document.Status.FAILED)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers as text. To others than whom they are for, nothing is here."""
    if not _may_read(request):
        return error_response(404, code="not_found", detail=f"Nothing is at {request.path}", error="Not found")
    # gunicorn.conf.py sets the folder through which its processes share their numbers.
    numbers = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(numbers)
    else:
        numbers.register(REGISTRY)
    numbers.register(IngestionQueue())
    numbers.register(TurnQueue())
    return HttpResponse(generate_latest(numbers), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    """With `METRICS_TOKEN` whoever sends it; without one, only this machine, and not through a proxy."""
    if settings.METRICS_TOKEN:
        sent = request.headers.get("Authorization", "")
        return constant_time_compare(sent, f"Bearer {settings.METRICS_TOKEN}")
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class IngestionQueue(Collector):
    """Documents that are not ready, counted when asked: a partial index holds just them."""

    def collect(self) -> Iterator[Metric]:
        """Counts by status, and for how long the oldest has waited; nothing while the database is away."""
        try:
            rows = (
                Document.objects.filter(status__in=WAITING)
                .order_by()
                .values_list("status")
                .annotate(Count("id"), Min("updated_at"))
            )
            found = {status: (count, oldest) for status, count, oldest in rows}
        except DatabaseError as exc:
            logger.warning("Documents could not be counted for the metrics: %s", type(exc).__name__)
            return
        count = GaugeMetricFamily("botgpt_documents", "Documents that are not ready.", labels=["status"])
        age = GaugeMetricFamily(
            "botgpt_documents_oldest_seconds", "Time since the last progress of the oldest of them.", labels=["status"]
        )
        now = timezone.now()
        for status in WAITING:
            number, oldest = found.get(status, (0, None))
            count.add_metric([status], number)
            age.add_metric([status], (now - oldest).total_seconds() if oldest else 0)
        yield count
        yield age


class TurnQueue(Collector):
    """Replies that no worker has begun, counted when asked: the index of running replies holds few."""

    def collect(self) -> Iterator[Metric]:
        """How many, and for how long the oldest has waited; nothing while the database is away."""
        waiting = Message.objects.filter(status=Message.Status.IN_PROGRESS, job__attempts=0)
        try:
            found = waiting.order_by().aggregate(count=Count("id"), oldest=Min("created_at"))
        except DatabaseError as exc:
            logger.warning("Replies could not be counted for the metrics: %s", type(exc).__name__)
            return
        seconds = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0
        yield GaugeMetricFamily("botgpt_turns_waiting", "Replies that no worker has begun.", value=found["count"])
        yield GaugeMetricFamily(
            "botgpt_turns_waiting_oldest_seconds", "How long the oldest of them waits.", value=seconds
        )
