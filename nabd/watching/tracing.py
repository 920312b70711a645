"""Traces for a collector of OpenTelemetry: a span for each batch, HTTP request and delivery.

Loaded only when asked for: the SDK is an extra. Spans carry counts, routes and channels; no device, person,
address or payload.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notify.message import NotificationChannel, NotificationMessage
from store.outage import Outage

log = structlog.get_logger(__name__)

CLOSE_MS = 3_000
FAILED = 500
"""From this status on a request failed on our side."""


class Traces:
    """Makes spans and sends them in a thread of its own; a collector that is away delays nothing."""

    def __init__(self, endpoint: str, process: str) -> None:
        """Begin; nothing is asked of the collector until there are spans."""
        # The exporter would log every attempt.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        named = {"service.name": f"nabd-{process}", "service.version": version("nabd")}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(OTLPSpanExporter(endpoint=endpoint))))
        self._tracer = self._provider.get_tracer("nabd")

    def batch(self, messages: int) -> AbstractContextManager[Span]:
        """Return a span around one batch of ingest, from deciding to its acknowledgement."""
        return _span(
            self._tracer, "ingest batch", SpanKind.CONSUMER, {"messaging.batch.message_count": messages}
        )

    def app(self, app: ASGIApp) -> ASGIApp:
        """Return an application whose requests are spans."""
        return TracedApp(app=app, tracer=self._tracer)

    def channel(self, channel: NotificationChannel) -> NotificationChannel:
        """Return a channel whose deliveries are spans."""
        return TracedChannel(channel, self._tracer)

    def close(self) -> None:
        """Send what there is, for a moment."""
        self._provider.force_flush(CLOSE_MS)
        self._provider.shutdown()


@contextmanager
def _span(
    tracer: Tracer, name: str, kind: SpanKind, attributes: Mapping[str, str | int] | None = None
) -> Iterator[Span]:
    """Make a span. Of a failure it is told the class alone: texts may name an addressee or hold a payload."""
    with tracer.start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedApp:
    """Makes a span of each request, named by its route: of paths there are as many as devices."""

    app: ASGIApp
    tracer: Tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with _span(self.tracer, scope["method"], SpanKind.SERVER) as span:
            span.set_attribute("http.request.method", scope["method"])

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _note(span, scope, message["status"])
                await send(message)

            await self.app(scope, receive, noting)


def _note(span: Span, scope: MutableMapping[str, Any], status: int) -> None:
    route = getattr(scope.get("route"), "path_format", "none")
    span.update_name(f"{scope['method']} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= FAILED:
        span.set_status(Status(StatusCode.ERROR))


class TracedChannel:
    """Makes a span of each delivery."""

    def __init__(self, channel: NotificationChannel, tracer: Tracer) -> None:
        self._channel, self._tracer = channel, tracer
        self.name = channel.name

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Hand a message over."""
        named = {"nabd.channel": self.name}
        with _span(self._tracer, f"deliver {self.name}", SpanKind.CLIENT, named):
            return await self._channel.send(message, to)

    async def close(self) -> None:
        """Give connections back."""
        await self._channel.close()


class _Exporter(SpanExporter):
    """Sends spans, and says once that the collector is away."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._outage = Outage(log, "traces are not taken: NABD_TRACES_ENDPOINT", "traces are taken again")

    def export(self, spans: Any) -> SpanExportResult:
        """Send spans; those that are not taken are gone."""
        sent: list[ReadableSpan] = list(spans)
        try:
            result = self._exporter.export(sent)
        except Exception as error:  # of the exporter's thread, which must go on
            self._outage.lasts(type(error).__name__)
            return SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            self._outage.over()
        else:
            self._outage.lasts("the collector does not answer, or refuses them")
        return result

    def shutdown(self) -> None:
        """End it."""
        self._exporter.shutdown()
