"""Spans as OTLP over HTTP, loaded by `tracing` alone.  What leaves goes through one sieve.

A provider of our own, which nobody else finds: what libraries would say of a request holds its
path, and paths of ours hold keys.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode

from scheduler.tracing import Span, Tracer

_METHOD = "http.request.method"
_ROUTE = "http.route"
_STATUS = "http.response.status_code"
_REQUEST = "chungtay.request_id"
ALLOWED = frozenset({_METHOD, _ROUTE, _STATUS, _REQUEST})
_BROKEN = 500
_PATH = "/v1/traces"
PATIENCE = 3.0  # seconds for what is still here when a process ends


def start(endpoint: str) -> Tracer:
    """Spans go to the collector at this address from now on, in a thread of their own."""
    # One line for what could not be sent, instead of one for each try.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    known = Resource({SERVICE_NAME: "chungtay", SERVICE_VERSION: version("chungtay")})
    provider = TracerProvider(resource=known.merge(OTELResourceDetector().detect()))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}{_PATH}")
    provider.add_span_processor(BatchSpanProcessor(Sieve(exporter)))
    return _Otlp(provider)


class _Otlp:
    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("chungtay")

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        # The words of an exception may be about a person: only that there was one is told.
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Open(span)
            except Exception:
                span.set_status(Status(StatusCode.ERROR))
                raise

    def trace_id(self) -> str:
        here = trace.get_current_span().get_span_context()
        return trace.format_trace_id(here.trace_id) if here.is_valid else ""

    def close(self) -> None:
        """A collector that does not answer must not keep a process from its end."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(PATIENCE)


class _Open:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def answered(self, method: str, route: str, status: int, request_id: str) -> None:
        self._span.update_name(f"{method} {route}")
        self._span.set_attributes({_METHOD: method, _ROUTE: route, _STATUS: status})
        if request_id:  # a calendar client gets none
            self._span.set_attribute(_REQUEST, request_id)
        if status >= _BROKEN:
            self._span.set_status(Status(StatusCode.ERROR))


class Sieve(SpanExporter):
    """Hands on names, times and kinship, and of the rest what is allowed by name."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_sifted(each) for each in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _sifted(span: ReadableSpan) -> ReadableSpan:
    told = span.attributes or {}
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: told[name] for name in ALLOWED if name in told},
        kind=SpanKind.SERVER if _ROUTE in told else SpanKind.INTERNAL,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
