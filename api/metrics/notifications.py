"""The metrics of the notifier, its channels, and subscriptions of programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from devices.instants import to_datetime
from devices.publishing import subscription_states
from notify.outbox import channel_health, told
from notify.outbox.channel_health import ChannelHealth
from notify.outbox.told import NotifierStanding
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFigures:
    """What was read of notifications in one scrape."""

    notifier: NotifierStanding
    channels: list[ChannelHealth]
    subscriptions: Mapping[str, int]


async def read(connection: Connection, now: int) -> NotificationFigures:
    """Read the figures from the database, as of `now` (microseconds)."""
    return NotificationFigures(
        notifier=await told.standing(connection, to_datetime(now)),
        channels=await channel_health.health(connection, now),
        subscriptions=await subscription_states.standings(connection, to_datetime(now)),
    )


def families(figures: NotificationFigures, age_of: Callable[[datetime], float]) -> Iterator[Metric]:
    """Return the metric families; those of a notifier that never ran are left out."""
    notifier = figures.notifier
    if notifier.alive_at is not None:
        said = "Time since the notifier wrote that it is alive"
        yield GaugeMetricFamily("nabd_notify_sign_of_life_age_seconds", said, value=age_of(notifier.alive_at))
    said = "Messages that are due and not handed over"
    yield GaugeMetricFamily("nabd_notifications_waiting", said, value=notifier.waiting)
    said = "Messages of which an attempt ended without an answer: they may have arrived twice"
    yield GaugeMetricFamily("nabd_notifications_doubtful", said, value=notifier.doubtful)
    failing = GaugeMetricFamily(
        "nabd_channel_failing", "Whether the last message of a channel failed", labels=["channel"]
    )
    for channel in figures.channels:
        failing.add_metric([channel.channel], channel.failing_since is not None)
    yield failing
    subscribed = GaugeMetricFamily(
        "nabd_subscriptions", "Subscriptions of programs to entities, by how they stand", labels=["standing"]
    )
    for standing, count in figures.subscriptions.items():
        subscribed.add_metric([standing], count)
    yield subscribed
