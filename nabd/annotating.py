"""The process `nabd grafana annotate`: alerts become annotations of a Grafana, as they begin and end.

Of several such processes for one server one posts; the others stand by. Needs the extra `grafana`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from api.grafana.annotating.annotation import AnnotationText
from api.grafana.annotating.following import AnnotationCount, follow, organisations
from api.grafana.sync.errors import GrafanaUnavailable
from api.grafana.sync.server import GrafanaAddress, GrafanaServer
from devices.instants import Now, to_datetime
from nabd import clock
from nabd.settings import Settings
from nabd.starting import ready_database, stop_on_signals, unless_stopped
from store import holder
from store.connection import Connection
from store.failures import is_outage
from store.pool import connect

log = structlog.get_logger(__name__)

AGAIN_S = 2.0
LONGEST_S = 1.0
"""A notification comes before its event can be read, where an older transaction still runs."""
LOOK_S = 60.0
"""How often it is looked which organisations there are, and whether their boards ask by SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationOrder:
    """What is posted where: alerts of some municipalities (empty: all), for a new place those of `since`."""

    address: GrafanaAddress
    written: AnnotationText
    municipalities: Collection[str]
    since: timedelta


async def catch_up(
    connection: Connection, server: GrafanaServer, order: AnnotationOrder, now: int
) -> list[AnnotationCount]:
    """Post what is not there yet, once, and return how much that was.

    Raises:
        GrafanaFailed: the server does not take it.
    """
    found = await organisations(server, order.municipalities)
    since = _since(order, now)
    return [await follow(connection, server, one, order.written, since) for one in found]


async def claim(connection: Connection, order: AnnotationOrder) -> bool:
    """Be the one that posts to the server as long as the session lives; tell whether it is so."""
    return await holder.claim(connection, _held(order))


async def annotate(settings: Settings, order: AnnotationOrder) -> None:
    """Post until told to stop; outages of the database and of Grafana are waited for.

    Raises:
        GrafanaFailed: the server refuses, or is too old.
    """
    stop = stop_on_signals()
    dsn = await unless_stopped(stop, ready_database(settings))
    now, _ = clock.parse(settings.clock)
    await unless_stopped(stop, _outlasting(dsn, order, now))


class _Standing:
    """Says once that it posts, and once that it waits."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._well: bool | None = None

    def well(self) -> None:
        if not self._well:
            log.info("annotating", server=self._server)
        self._well = True

    def away(self, error: Exception) -> None:
        if self._well is not False:
            log.warning("annotations wait", error=str(error) or type(error).__name__)
        self._well = False


async def _outlasting(dsn: str, order: AnnotationOrder, now: Now) -> None:
    standing = _Standing(order.address.url)
    while True:
        try:
            async with _session(dsn) as (connection, wake):
                await holder.wait(connection, _held(order))
                await _post(connection, wake, order, now, standing)
        except Exception as error:  # only outages are handled here
            if not is_outage(error) and not isinstance(error, GrafanaUnavailable):
                raise
            standing.away(error)
        await asyncio.sleep(AGAIN_S)


@contextlib.asynccontextmanager
async def _session(dsn: str) -> AsyncIterator[tuple[Connection, asyncio.Event]]:
    connection = await connect(dsn)
    wake = asyncio.Event()

    def notified(*_: Any) -> None:
        wake.set()

    try:
        await connection.add_listener("nabd_alert", notified)
        yield connection, wake
    finally:
        connection.terminate()  # with it the server is free for another process


async def _post(
    connection: Connection, wake: asyncio.Event, order: AnnotationOrder, now: Now, standing: _Standing
) -> None:
    server = GrafanaServer(order.address)
    time = asyncio.get_running_loop().time
    try:
        found, looked_at = await organisations(server, order.municipalities), time()
        while True:
            if time() - looked_at > LOOK_S:
                found, looked_at = await organisations(server, order.municipalities), time()
            wake.clear()
            for one in found:
                count = await follow(connection, server, one, order.written, _since(order, now()))
                if count.posted or count.changed:
                    log.info("annotated", **_fields(count))
            standing.well()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_S):
                    await wake.wait()
    finally:
        await server.close()


def _fields(count: AnnotationCount) -> dict[str, Any]:
    return {"organisation": count.organisation, "posted": count.posted, "changed": count.changed}


def _since(order: AnnotationOrder, now: int) -> datetime:
    return to_datetime(now) - order.since


def _held(order: AnnotationOrder) -> str:
    return f"annotate {order.address.url}"
