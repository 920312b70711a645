"""The listener of live events: reads what is new once per process and passes it to every subscription.

NOTIFY says when to read, polling is the safety net, the order of events comes from the tables alone. Must
not know HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import asyncpg
import structlog

from alerts import events
from alerts.events import AlertEvent, Cursor
from alerts.queue import Alert, get_alerts
from api.live.subscription import EventFilter, LiveAlert, Subscription
from api.metrics.process import Metrics
from api.schemas.alerts import alert_out, context_of, event_out
from api.schemas.commands import CommandOut, command_out
from api.schemas.latest import LatestOut, latest_out
from devices.commands.answered import changed_since
from devices.instants import EPOCH, Now, to_datetime
from devices.kinds import Kinds
from devices.sources.states import alive_after
from readings.fresh import latest_since, newest_received_at
from store.failures import is_outage

if TYPE_CHECKING:
    from store.connection import Connection

log = structlog.get_logger(__name__)

T = TypeVar("T")

POLL_S = 2.0
UNSETTLED_POLL_S = 0.2
"""Pause before reading again: an event is read once no older transaction runs, perhaps after its NOTIFY."""
UNSETTLED_FOR_S = 2.0
LATEST_EVERY_S = 1.0
LATEST_OVERLAP = timedelta(seconds=10)
"""By how much two writers may commit out of the order of their receive times."""
COMMAND_OVERLAP = timedelta(seconds=10)
PAGE = 500
LATEST_PAGE = 5000
COMMAND_PAGE = 2000
READ_TIMEOUT_S = 10.0
MOST_FAULTY = 1_000
"""Rows that cannot be shown, of which it is logged once each."""
RETRY_S = (0.5, 1.0, 2.0, 5.0)


class LiveEvents:
    """Start with `running()`; clients use `subscribe`. `cursor` is the last event passed to subscriptions."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        kinds: Kinds,
        metrics: Metrics,
        now: Now,
        speed: float = 1.0,
    ) -> None:
        """Make it; `speed`: how many times faster than real time `now` runs."""
        self._pool = pool
        self._kinds = kinds
        self._now = now
        self._speed = speed
        self._metrics = metrics
        self._subscriptions: set[Subscription] = set()
        self._wake = asyncio.Event()
        self._notified_at = 0.0
        self._latest_at = 0.0
        self._newest: datetime | None = None
        self._shown: dict[str, datetime] = {}
        self._commands_at: datetime | None = None
        self._commands_shown: dict[UUID, tuple[datetime, str]] = {}
        self._faulty: set[tuple[str, object]] = set()
        self._closed = False
        self.cursor: Cursor | None = None
        self.outage: str | None = "not connected yet"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen while the block runs."""
        task = asyncio.create_task(self._run(), name="live listener")
        try:
            yield
        finally:
            self.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def close(self) -> None:
        """End every open stream, so that a server that stops need not wait for clients."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()

    @contextmanager
    def subscribe(self, interest: EventFilter) -> Iterator[Subscription]:
        """Open a subscription that gets everything after the present `cursor`."""
        subscription = Subscription(interest)
        self._subscriptions.add(subscription)
        self._metrics.live_clients.set(len(self._subscriptions))
        if self._closed:
            subscription.close()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self._metrics.live_clients.set(len(self._subscriptions))

    async def replay(self, after: Cursor, until: Cursor, interest: EventFilter) -> AsyncIterator[LiveAlert]:
        """Yield the settled events in (after, until] that are of interest."""
        while after < until:
            async with self._pool.acquire(timeout=READ_TIMEOUT_S) as connection:
                found = await events.events_after(connection, after, PAGE)
                lives = await self._with_alerts(connection, [e for e in found if e.cursor <= until])
            for live in lives:
                if interest.in_alert(live):
                    yield live
            if len(found) < PAGE:
                return
            after = found[-1].cursor

    async def _run(self) -> None:
        failures = 0
        while not self._closed:
            try:
                async with (
                    self._pool.acquire(timeout=READ_TIMEOUT_S) as connection,
                    self._listening(connection),
                ):
                    failures = 0
                    await self._follow(connection)
            except Exception as error:  # the edge of a task: if it ended, no client would get events
                reason = str(error) or type(error).__name__
                self._metrics.live_failures.inc()
                if not is_outage(error):
                    log.exception("live stream failed, trying again", reason=reason)
                    failures = len(RETRY_S)  # no outage: the longest pause at once
                elif self.outage is None or failures == 0:
                    log.warning("live stream lost the database", reason=reason)
                self.outage = reason
            if self._closed:
                return  # a connection that is lost in the moment of a cancellation hides that
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1

    @asynccontextmanager
    async def _listening(self, connection: Connection) -> AsyncIterator[None]:
        channels = ("nabd_alert", "nabd_latest", "nabd_command")
        for channel in channels:
            await connection.add_listener(channel, self._notified)
        try:
            yield
        finally:
            if not connection.is_closed():
                for channel in channels:
                    await connection.remove_listener(channel, self._notified)

    def _notified(self, *_: Any) -> None:
        self._notified_at = asyncio.get_running_loop().time()
        self._wake.set()

    async def _follow(self, connection: Connection) -> None:
        await self._start(connection)
        if self.outage != "not connected yet":
            log.info("live stream reads the database again")
        self.outage = None
        while True:
            self._wake.clear()
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._read_alerts(connection)
                await self._read_latest(connection)
                await self._read_commands(connection)
            await self._wait()

    async def _start(self, connection: Connection) -> None:
        if self.cursor is None:
            self.cursor = await events.latest_cursor(connection)

    async def _wait(self) -> None:
        recently = asyncio.get_running_loop().time() - self._notified_at < UNSETTLED_FOR_S
        try:
            async with asyncio.timeout(UNSETTLED_POLL_S if recently else POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _read_alerts(self, connection: Connection) -> None:
        while True:
            assert self.cursor is not None
            found = await events.events_after(connection, self.cursor, PAGE)
            lives = await self._with_alerts(connection, found) if self._subscriptions else []
            for live in lives:
                self._hand_out(live)
            self._metrics.live_events.inc(len(found))
            if found:
                self.cursor = found[-1].cursor
            if len(found) < PAGE:
                return

    async def _with_alerts(self, connection: Connection, found: list[AlertEvent]) -> list[LiveAlert]:
        alerts = {alert.id: alert for alert in await get_alerts(connection, {e.alert_id for e in found})}
        beside = await context_of(connection, [*alerts], self._now())

        def live(event: AlertEvent, alert: Alert) -> LiveAlert:
            return LiveAlert(
                cursor=event.cursor, event=event_out(event), alert=alert_out(alert, self._kinds, beside)
            )

        shown = [
            self._shown_or_left(("alert", alert.id), partial(live, event, alert))
            for event in found
            if (alert := alerts.get(event.alert_id)) is not None
        ]
        return [one for one in shown if one is not None]

    def _shown_or_left(self, row: tuple[str, object], show: Callable[[], T]) -> T | None:
        """Return a row as clients see it; None: it cannot be shown, and what comes after it goes on."""
        try:
            return show()
        except Exception:  # a fault of one row, whatever it is, must not end the stream of all
            if row not in self._faulty and len(self._faulty) < MOST_FAULTY:
                self._faulty.add(row)
                log.exception("live stream leaves a row out that cannot be shown", row=row[0], id=str(row[1]))
            return None

    def _hand_out(self, live: LiveAlert) -> None:
        for subscription in self._subscriptions:
            self._metrics.live_missed.inc(subscription.offer_alert(live))

    async def _read_latest(self, connection: Connection) -> None:
        time = asyncio.get_running_loop().time()
        if time - self._latest_at < LATEST_EVERY_S:
            return
        self._latest_at = time
        if not self._subscriptions:
            self._newest = None
            return
        if self._newest is None:
            # Without subscriptions until now, older readings are in the list that a client reads first.
            self._newest = await newest_received_at(connection) or EPOCH
        after = max(self._newest - LATEST_OVERLAP, EPOCH), ""
        shown: dict[str, datetime] = {}
        while True:
            rows = await latest_since(connection, after, LATEST_PAGE)
            for row in rows:
                shown[row.device] = row.received_at
                if self._shown.get(row.device) != row.received_at:
                    show = partial(latest_out, self._kinds, row)
                    if (latest := self._shown_or_left(("latest", row.device), show)) is not None:
                        self._offer(latest)
            if rows:
                after = rows[-1].received_at, rows[-1].device
                self._newest = max(self._newest, rows[-1].received_at)
            if len(rows) < LATEST_PAGE:
                break
        self._shown = shown

    async def _read_commands(self, connection: Connection) -> None:
        """Pass on what has changed; one that changes twice between two looks is told as it stands then."""
        if not self._subscriptions or self._commands_at is None:
            self._commands_at, self._commands_shown = to_datetime(self._now()), {}
            return
        after = self._commands_at - COMMAND_OVERLAP, UUID(int=0)
        shown: dict[UUID, tuple[datetime, str]] = {}
        while True:
            alive = alive_after(self._now(), self._speed)
            found = await changed_since(connection, after, COMMAND_PAGE, alive_after=alive)
            for one in found:
                shown[one.id] = one.updated_at, one.status
                if self._commands_shown.get(one.id) == shown[one.id]:
                    continue
                if (
                    command := self._shown_or_left(("command", one.id), partial(command_out, one))
                ) is not None:
                    self._metrics.live_missed.inc(self._offer_command(command))
            if found:
                after = found[-1].updated_at, found[-1].id
                self._commands_at = max(self._commands_at, found[-1].updated_at)
            if len(found) < COMMAND_PAGE:
                break
        self._commands_shown = shown

    def _offer_command(self, command: CommandOut) -> int:
        return sum(subscription.offer_command(command) for subscription in self._subscriptions)

    def _offer(self, latest: LatestOut) -> None:
        for subscription in self._subscriptions:
            subscription.offer_latest(latest)
