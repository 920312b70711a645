"""The process `nabd notify`: routes, silences, texts, channels and answers put together for the outbox.

It does what becomes due in work too (work.rounds.periodic), and tells subscriptions of programs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from alerts.holds import held
from alerts.silences import silenced
from api.standards.ngsi_ld.subscriptions import following
from api.standards.ngsi_ld.subscriptions.following import FollowerParts
from devices import kinds
from devices.instants import to_microseconds
from nabd import clock
from nabd.channels import channels_of, webhook_targets
from nabd.settings import Settings
from nabd.starting import ready_database, stop_on_signals, unless_stopped
from nabd.watching.traces import traces_of
from notify.answers import offers
from notify.notices.writing import NoticeTexts
from notify.outbox import engine
from notify.outbox.engine import NotifierParts
from notify.outbox.ports import AnswerMeans
from notify.routing.load import load, reload
from notify.routing.routing import Routing
from notify.texts.compose import compose
from store.connection import Connection
from store.pool import connect, open_pool
from work.rounds.periodic import keep_rounds

CONNECTIONS = 6
CODES_BY = frozenset({"sms"})
"""Channels whose messages are answered by a code."""


async def notify(settings: Settings) -> None:
    """Tell people of alerts, as the one leader, and keep the clocks of work.

    Raises:
        NotConfigured: a channel's setting cannot be used.
    """
    stop = stop_on_signals()
    now, speed = clock.parse(settings.clock)
    channels = channels_of(settings, clock.wall)
    targets = webhook_targets(settings)
    traces = traces_of(settings, "notify")
    if traces:
        channels = {name: traces.channel(channel) for name, channel in channels.items()}
    dsn = await unless_stopped(stop, ready_database(settings))
    pool = await open_pool(dsn, min_size=0, max_size=CONNECTIONS)
    declared = kinds.load(settings.kinds_dir)
    parts = NotifierParts(
        open_database=partial(connect, dsn),
        pool=pool,
        load_routing=RoutingReader(channels).load,
        compose=compose,
        channels=channels,
        kinds=declared,
        now=now,
        silenced=silenced_until,
        notices=NoticeTexts(pool=pool, kinds=declared, now=now),
        answers_of=partial(answer_means, pool, settings.public_url),
        speed=speed,
    )
    notifying = asyncio.create_task(engine.run(parts))
    working = asyncio.create_task(keep_rounds(parts.open_database, parts.kinds, now))
    subscribing = asyncio.create_task(
        following.run(
            FollowerParts(
                open_database=parts.open_database,
                pool=pool,
                kinds=declared,
                now=now,
                real_now=clock.wall,
                targets=targets,
            )
        )
    )
    stopping = asyncio.create_task(stop.wait())
    tasks: set[asyncio.Task[Any]] = {notifying, working, subscribing, stopping}
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(notifying, working, subscribing, return_exceptions=True)
    if traces:
        await asyncio.to_thread(traces.close)
    pool.terminate()  # what had an answer is recorded; politeness may wait for a server that is away
    for task in done - {stopping}:
        task.result()


class RoutingReader:
    """Routing as it is now: loaded once, and again after a change.

    Who has no address of a channel that is set up cannot be told: others are in their place.
    """

    def __init__(self, channels: Container[str]) -> None:
        self._channels = channels
        self._found: Routing | None = None
        self._usable: Routing | None = None

    async def load(self, connection: Connection) -> Routing:
        """Return routing as it is now."""
        before = self._found
        found = await load(connection) if before is None else await reload(connection, before)
        if self._usable is None or found is not before:
            reached = {n: one.reached_by(self._channels) for n, one in found.receivers.items()}
            self._found, self._usable = found, replace(found, receivers=reached)
        return self._usable


HELD_US = 60_000_000
"""How soon we look again whether a device is still under work; that it is not any more is seen by itself."""


async def silenced_until(connection: Connection, alerts: Sequence[int], at: int) -> dict[int, int]:
    """Return until when nobody is told of each of some alerts, in microseconds.

    Somebody silences it, or works on its device: how long that takes nobody knows.
    """
    found = await silenced(connection, alerts, at)
    until = {alert: to_microseconds(silence.until_at) for alert, silence in found.items()}
    for alert in await held(connection, alerts, at):
        until[alert] = max(until.get(alert, 0), at + HELD_US)
    return until


async def answer_means(
    pool: asyncpg.Pool[asyncpg.Record],
    public_url: str,
    delivery: UUID,
    person: int,
    channel: str,
    alerts: Sequence[int],
) -> AnswerMeans:
    """Return the link, and the code of an SMS, by which a message is answered."""
    if not public_url and channel not in CODES_BY:
        return AnswerMeans()
    real_now = clock.wall()
    async with pool.acquire() as connection:
        coded = channel in CODES_BY
        offer = await offers.offer(connection, delivery, person, alerts, real_now, coded=coded)
        if offer is None:
            return AnswerMeans()
        key = await offers.signing_key(connection, real_now)
    return AnswerMeans(
        url=offers.address(public_url, key, offer) if public_url else None,
        code=offer.code or None,
    )
