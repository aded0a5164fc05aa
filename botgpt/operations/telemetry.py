"""Traces to an OpenTelemetry collector and errors to Sentry, each when its address is set; else nothing is imported."""

from __future__ import annotations

import os

from django.conf import settings


def start() -> None:
    """Begin to trace and to report. Call it before Django reads its middleware, once a process.

    Raises:
        ImportError: an address is set, and the packages of requirements-production.txt are not installed.
    """
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        _trace()
    if settings.SENTRY_DSN:
        _report_errors()


def _trace() -> None:
    """Spans of requests, of calls over HTTP and of queries without parameters. The rest is in OTEL_'s variables."""
    os.environ.setdefault("OTEL_SERVICE_NAME", "botgpt")
    os.environ.setdefault("OTEL_PYTHON_DJANGO_EXCLUDED_URLS", "health,metrics")  # read when imported
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument()
    HTTPXClientInstrumentor().instrument()
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        PsycopgInstrumentor().instrument()


def _report_errors() -> None:
    """Unhandled errors and error lines, without bodies, local variables and users: those may hold message text."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
    )
