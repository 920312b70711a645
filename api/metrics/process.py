"""Counters of the API process, in a registry of its own, as OpenMetrics text at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Counters of one application; two applications in one process have separate ones."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "nabd_http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "nabd_http_request_seconds",
            "Time until the response started",
            ["method", "route"],
            registry=self.registry,
        )
        self.webhooks_refused = Counter(
            "nabd_webhooks_refused",
            "WebhookIntake that showed another secret than their source's",
            ["source"],
            registry=self.registry,
        )
        self.live_clients = Gauge("nabd_live_clients", "Open live streams", registry=self.registry)
        self.live_events = Counter(
            "nabd_live_events", "Alert events read for live streams", registry=self.registry
        )
        self.live_failures = Counter(
            "nabd_live_failures", "Times the live stream had to begin again", registry=self.registry
        )
        self.live_missed = Counter(
            "nabd_live_missed", "Events that slow live clients were told they missed", registry=self.registry
        )
