"""The outermost layer of the HTTP process: security headers, counters, and unexpected errors.

Every response passes here, so that each has the headers and no error is answered with a traceback.
Must not know what the routes do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import problems
from api.metrics.process import Metrics

log = structlog.get_logger(__name__)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'{tiles}; worker-src 'self'; font-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def headers_of(tiles_origin: str | None) -> dict[str, str]:
    """Return the headers of every response. tiles_origin: see EdgeMiddleware."""
    allowed = f" {tiles_origin}" if tiles_origin else ""
    return {name: value.replace("{tiles}", allowed) for name, value in HEADERS.items()}


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods with a label of their own in the counters; any other word sent as a method is counted as one."""


class EdgeMiddleware:
    """Wraps the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        tiles_origin: str | None = None,
        elapsed: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Wrap an application. tiles_origin: the one other host that pages may ask, for tiles of maps."""
        self.app = app
        self.headers = headers_of(tiles_origin)
        self.metrics = metrics
        self.elapsed = elapsed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = self.elapsed()
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(message)
                self._count(scope, message["status"], self.elapsed() - began)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if started:
                raise
            log.exception("request failed", path=scope["path"], error=type(error).__name__)
            response = problems.render(
                problems.of_status(500, "the log of the server has the details"),
                accept_language=Headers(scope=scope).get("accept-language"),
                instance=scope["path"],
            )
            await response(scope, receive, send_with_headers)

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in self.headers.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")

    def _count(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(method, route).observe(seconds)
