"""The metrics of the platform beside those of this process: ingest, broker, alerts, rules, sweep, notify.

Computed when asked, at a cost that does not grow with the age of the platform. The counters of this
process itself are in api.metrics.process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest

from api.metrics import notifications, sources
from api.metrics.notifications import NotificationFigures
from devices.credentials import refusals
from devices.credentials.refusals import RefusedSignIns
from devices.instants import to_datetime, to_microseconds
from devices.sources.listing import list_sources
from devices.sources.source import Source
from readings import ingest_state, totals
from readings.ingest_state import IngestState
from readings.rollups import marks
from readings.totals import ShardTotals
from rules.catalogue import watched
from rules.catalogue.watched import RuleCounts
from store.connection import Connection
from store.standing import backups
from store.standing.backups import BackupStanding

NEAR = 0.5
"""The share of its limit from which on a queue is near it: the rest fills in the time that it took so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerQueue:
    """What the broker publishes about itself: messages not yet delivered, dropped, retained; its memory.

    `limit` is how many it can hold for ingest, `memory_limit` how many bytes it may use; 0 where it has none.
    None: it has not said.
    """

    queued: int
    limit: int
    dropped: int | None
    retained: int | None = None
    memory: int | None = None
    memory_limit: int = 0

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to act: at the limit the broker drops messages it has acknowledged."""
        return 0 < self.limit * NEAR <= self.queued

    @property
    def is_large(self) -> bool:
        """Tell whether it is time to act: at the limit of its memory the broker takes nothing any more."""
        return self.memory is not None and 0 < self.memory_limit * NEAR <= self.memory

    @property
    def is_near_limit(self) -> bool:
        """Tell whether it is near either limit."""
        return self.is_full or self.is_large


Queue = Callable[[], BrokerQueue | None]
"""Returns what the broker published last; None where it publishes nothing, or is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was read from the database in one scrape."""

    totals: list[ShardTotals]
    ingest: list[IngestState]
    watched: RuleCounts
    notifications: NotificationFigures
    sources: list[Source]
    unrolled_since: datetime | None
    backups: BackupStanding
    refused: RefusedSignIns


async def read(connection: Connection, kinds: Iterable[str], now: int) -> Figures:
    """Read all figures from the database, as of `now` (microseconds); kinds: those that are declared."""
    return Figures(
        totals=await totals.by_shard(connection),
        ingest=await ingest_state.by_shard(connection),
        watched=await watched.watch(connection),
        notifications=await notifications.read(connection, now),
        sources=await list_sources(connection),
        unrolled_since=await marks.oldest_mark(connection, kinds),
        backups=await backups.standing(connection),
        refused=await refusals.recent(connection, to_datetime(now)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Turns instants into ages in real seconds, on a clock that may run faster."""

    now: int
    speed: float

    def of(self, instant: datetime) -> float:
        """Return how long ago that was."""
        return (self.now - to_microseconds(instant)) / 1e6 / self.speed


def text(registry: CollectorRegistry, families: Iterable[Metric]) -> bytes:
    """Return this process's counters and further families as one OpenMetrics text."""
    return generate_latest(_Joined(registry, families))  # type: ignore[no-untyped-call, no-any-return]


@dataclass(frozen=True, slots=True)
class _Joined:
    registry: CollectorRegistry
    families: Iterable[Metric]

    def collect(self) -> Iterator[Metric]:
        yield from self.registry.collect()
        yield from self.families


def families(figures: Figures | None, queue: BrokerQueue | None, ages: Ages) -> Iterator[Metric]:
    """Return the metric families of a scrape; what is not known is left out, not 0."""
    up = "Whether the database answered with what follows"
    yield GaugeMetricFamily("nabd_database_up", up, value=figures is not None)
    if queue is not None:
        yield from _of_broker(queue)
    if figures is not None:
        yield from _of_totals(figures.totals)
        yield from _of_ingest(figures.ingest, ages)
        yield from _of_rules(figures.watched, ages)
        yield from notifications.families(figures.notifications, ages.of)
        yield from sources.families(figures.sources, ages.of)
        said = "How long the oldest readings have waited for their hours and days"
        behind_s = 0.0 if figures.unrolled_since is None else ages.of(figures.unrolled_since)
        yield GaugeMetricFamily("nabd_rollups_lag_seconds", said, value=behind_s)
        yield from _of_backups(figures.backups, ages)
        said = "Sign-ins that the broker refused within the last ten minutes"
        yield GaugeMetricFamily("nabd_broker_refused_sign_ins", said, value=figures.refused.count)


def _of_broker(queue: BrokerQueue) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "nabd_broker_queued_messages", "Messages at the broker that nobody has fetched", value=queue.queued
    )
    if queue.limit:
        said = "Messages the broker can hold for ingest (NABD_BROKER_QUEUE)"
        yield GaugeMetricFamily("nabd_broker_queue_limit_messages", said, value=queue.limit)
    if queue.dropped is not None:
        said = "Messages the broker gave up since it started"
        yield CounterMetricFamily("nabd_broker_dropped_messages", said, value=queue.dropped)
    if queue.retained is not None:
        said = "Messages the broker keeps as the last of their topics"
        yield GaugeMetricFamily("nabd_broker_retained_messages", said, value=queue.retained)
    if queue.memory is not None:
        yield GaugeMetricFamily("nabd_broker_memory_bytes", "Memory the broker uses", value=queue.memory)
    if queue.memory_limit:
        said = "Memory the broker may use (NABD_BROKER_MEMORY_MB)"
        yield GaugeMetricFamily("nabd_broker_memory_limit_bytes", said, value=queue.memory_limit)


def _of_totals(totals: list[ShardTotals]) -> Iterator[Metric]:
    messages = CounterMetricFamily("nabd_messages", "Messages committed", labels=["shard"])
    readings = CounterMetricFamily("nabd_readings", "Readings received", labels=["shard", "outcome"])
    rejected = CounterMetricFamily(
        "nabd_readings_rejected", "Readings not stored, by reason", labels=["shard", "reason"]
    )
    undated = CounterMetricFamily(
        "nabd_readings_undated", "Readings stored without a time of their own", labels=["shard"]
    )
    for t in totals:
        messages.add_metric([t.shard], t.messages)
        undated.add_metric([t.shard], t.undated)
        outcomes = {
            "stored": t.stored,
            "merged": t.merged,
            "duplicate": t.duplicate,
            "rejected": sum(t.reasons.values()),
        }
        for outcome, count in outcomes.items():
            readings.add_metric([t.shard, outcome], count)
        for reason, count in sorted(t.reasons.items()):
            rejected.add_metric([t.shard, reason], count)
    yield from (messages, readings, rejected, undated)


def _of_ingest(states: list[IngestState], ages: Ages) -> Iterator[Metric]:
    shard = ["shard"]
    caught_up = GaugeMetricFamily(
        "nabd_ingest_caught_up", "Whether the broker holds no more than ingest has in hand", labels=shard
    )
    alive = GaugeMetricFamily(
        "nabd_ingest_sign_of_life_age_seconds", "Time since ingest said that it lives", labels=shard
    )
    batch = GaugeMetricFamily(
        "nabd_ingest_last_batch_age_seconds", "Time since the last committed batch was received", labels=shard
    )
    delay = GaugeMetricFamily(
        "nabd_ingest_last_batch_delay_seconds",
        "How old the oldest reading of the last committed batch was when it was received",
        labels=shard,
    )
    takeovers = CounterMetricFamily(
        "nabd_ingest_session_takeovers",
        "How often another client took the session at the broker from ingest",
        labels=shard,
    )
    compiled = GaugeMetricFamily(
        "nabd_ingest_compiled", "Whether ingest works with compiled code, which is faster", labels=shard
    )
    for state in states:
        if state.compiled is not None:
            compiled.add_metric([state.shard], state.compiled)
        takeovers.add_metric([state.shard], state.takeovers)
        caught_up.add_metric([state.shard], state.caught_up_at is not None)
        if state.alive_at is not None:
            alive.add_metric([state.shard], ages.of(state.alive_at))
        if state.received_at is not None:
            batch.add_metric([state.shard], ages.of(state.received_at))
            if state.oldest_observed_at is not None:
                late = state.received_at - state.oldest_observed_at
                delay.add_metric([state.shard], late.total_seconds())
    yield from (caught_up, alive, batch, delay, takeovers, compiled)


def _of_backups(standing: BackupStanding, ages: Ages) -> Iterator[Metric]:
    for name, said, at in (
        ("backup", "Time since a backup was made", standing.made_at),
        ("backup_verified", "Time since a backup was restored elsewhere and compared", standing.verified_at),
    ):
        if at is not None:
            yield GaugeMetricFamily(f"nabd_{name}_age_seconds", said, value=ages.of(at))


def _of_rules(watched: RuleCounts, ages: Ages) -> Iterator[Metric]:
    alerts = GaugeMetricFamily(
        "nabd_alerts_open", "Open alerts that do not stand back behind another", labels=["severity"]
    )
    for severity, count in watched.waiting.items():
        alerts.add_metric([severity], count)
    yield alerts
    for name, said, value in (
        ("alerts_unacknowledged", "Those of nabd_alerts_open that nobody has seen", watched.unacknowledged),
        ("alerts_inhibited", "Open alerts that stand back behind another", watched.inhibited),
        ("rules_active", "Rules in force", watched.active),
        ("rules_broken", "Rules in force that failed and do not look any more", watched.broken),
    ):
        yield GaugeMetricFamily(f"nabd_{name}", said, value=value)
    if watched.swept_at is not None:
        said = "Time since the sweep rules looked last"
        yield GaugeMetricFamily("nabd_sweep_age_seconds", said, value=ages.of(watched.swept_at))
