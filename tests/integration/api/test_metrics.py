"""What /metrics says of the platform, on a real database."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from alerts.transition import Severity
from api.app import create_app
from api.metrics.platform import BrokerQueue
from devices.instants import to_microseconds
from readings import ledger
from readings.ledger import BatchCounts
from rules.catalogue.watched import note_sweep
from store.standing import backups
from store.standing.backups import StoredBackup
from tests.integration.api import builders
from tests.integration.api.builders import NOON

OPERATIONS = Path(__file__).parents[3] / "docs/operations.md"
QUEUE = BrokerQueue(queued=40, limit=100, dropped=3, retained=7, memory=2**20, memory_limit=2**32)


@pytest.fixture(autouse=True)
async def operator(pool: asyncpg.Pool) -> None:
    """Let the operator in, who looks at metrics."""
    await builders.let_in(pool)


def watching(pool: asyncpg.Pool, *, speed: float = 1.0) -> httpx2.AsyncClient:
    """Return a client of an application whose broker has something to say."""
    app = create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=False,
        speed=speed,
        queue=lambda: QUEUE,
    )
    return client_of(app)


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    """Return a client of an application in this process."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1", headers=builders.BEARER
    )


async def scrape(client: httpx2.AsyncClient) -> dict[str, float]:
    """Return every sample as Prometheus would read it, by name and labels."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    samples = {}
    for family in text_string_to_metric_families(answer.text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return samples


async def commit(connection: asyncpg.Connection, *, caught_up: bool = True) -> None:
    """Leave what ingest leaves after one batch, received a minute ago, and a sign of life a second ago."""
    received_at = to_microseconds(NOON - timedelta(minutes=1))
    counts = BatchCounts(
        shard="main",
        batch=1,
        source="mqtt",
        received_at=received_at,
        oldest_observed_at=received_at - 30_000_000,
        messages=8,
        received=10,
        stored=7,
        duplicate=2,
        rejected=1,
        undated=4,
        by_device={("bin-1", "duplicate"): 2, ("bin-1", "bad_value"): 1},
    )
    await ledger.record(connection, counts)
    await connection.execute(
        "UPDATE shard SET batch = 1, alive_at = $1, caught_up_at = CASE WHEN $2 THEN $1::timestamptz END",
        NOON - timedelta(seconds=1),
        caught_up,
    )


async def test_metrics_tell_what_became_of_readings(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await commit(connection)
    async with watching(pool) as client:
        found = await scrape(client)

    assert found["nabd_messages_total{shard=main}"] == 8
    assert found["nabd_readings_total{outcome=stored,shard=main}"] == 7
    assert found["nabd_readings_total{outcome=duplicate,shard=main}"] == 2
    assert found["nabd_readings_total{outcome=rejected,shard=main}"] == 1
    assert found["nabd_readings_rejected_total{reason=bad_value,shard=main}"] == 1
    assert found["nabd_readings_undated_total{shard=main}"] == 4


async def test_metrics_tell_how_far_ingest_is(pool: asyncpg.Pool, connection: asyncpg.Connection) -> None:
    await commit(connection, caught_up=False)
    async with watching(pool) as client:
        behind = await scrape(client)
        await connection.execute("UPDATE shard SET caught_up_at = alive_at, compiled = true")
        caught_up = await scrape(client)

    assert behind["nabd_ingest_caught_up{shard=main}"] == 0
    assert caught_up["nabd_ingest_caught_up{shard=main}"] == 1
    assert "nabd_ingest_compiled{shard=main}" not in behind
    assert caught_up["nabd_ingest_compiled{shard=main}"] == 1
    assert behind["nabd_ingest_last_batch_age_seconds{shard=main}"] == 60
    assert behind["nabd_ingest_sign_of_life_age_seconds{shard=main}"] == 1
    assert behind["nabd_ingest_last_batch_delay_seconds{shard=main}"] == 30
    assert behind["nabd_broker_queued_messages"] == 40
    assert behind["nabd_broker_queue_limit_messages"] == 100
    assert behind["nabd_broker_dropped_messages_total"] == 3
    assert behind["nabd_broker_retained_messages"] == 7
    assert behind["nabd_broker_memory_bytes"] == 2**20
    assert behind["nabd_broker_memory_limit_bytes"] == 2**32


async def test_metrics_tell_ages_in_seconds_of_the_wall_when_the_clock_runs_faster(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await commit(connection)
    async with watching(pool, speed=10.0) as client:
        found = await scrape(client)

    assert found["nabd_ingest_last_batch_age_seconds{shard=main}"] == 6


async def test_metrics_tell_of_alerts_rules_and_sweep(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    devices = [await builders.add(connection, f"bin-{number}") for number in range(4)]
    for device, severity in zip(devices[:3], ("major", "major", "critical"), strict=True):
        await builders.fire(connection, device, severity=Severity(severity))
    parent = await builders.fire(
        connection, devices[3], rule="silent", family="silent", severity=Severity.MINOR
    )
    await connection.execute("UPDATE alert SET inhibited_by = $1 WHERE device_id = $2", parent, devices[0].id)
    await connection.execute(
        "UPDATE alert SET acknowledged_at = $1, acknowledger_id = 0 WHERE id = $2", NOON, parent
    )
    await connection.execute("UPDATE rule SET broken_at = $1, broken_reason = '' WHERE id = 'silent'", NOON)
    await note_sweep(connection, to_microseconds(NOON) - 90_000_000)
    await note_sweep(connection, to_microseconds(NOON) - 5_000_000)
    async with watching(pool) as client:
        found = await scrape(client)

    severities = {s: found[f"nabd_alerts_open{{severity={s}}}"] for s in Severity}
    assert severities == {"critical": 1, "major": 1, "minor": 1, "warning": 0}
    assert (found["nabd_alerts_inhibited"], found["nabd_alerts_unacknowledged"]) == (1, 2)
    assert (found["nabd_rules_active"], found["nabd_rules_broken"]) == (2, 1)
    assert found["nabd_sweep_age_seconds"] == 5


async def test_metrics_of_broker_and_process_remain_when_the_database_is_away(pool: asyncpg.Pool) -> None:
    async with watching(pool) as client:
        assert (await scrape(client))["nabd_database_up"] == 1
        pool.terminate()

        found = await scrape(client)

    assert found["nabd_database_up"] == 0
    assert found["nabd_broker_queued_messages"] == 40
    assert found["nabd_live_clients"] == 0
    assert not any(name.startswith("nabd_readings") for name in found)


async def test_metrics_are_those_the_operators_page_lists(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await commit(connection)
    await note_sweep(connection, builders.now())
    await connection.execute("UPDATE notifier SET alive_at = $1", NOON)
    made = StoredBackup(id=uuid4(), made_at=NOON, rows=1, bytes=1)
    await backups.note_made(connection, made)
    await backups.note_verified(connection, made, NOON, 1.0)
    async with watching(pool) as client:
        await client.get("/healthz")
        text = (await client.get("/metrics")).text

    shown = set()
    for kind_of, name in re.findall(r"^# TYPE (nabd_\w+) (\w+)$", text, re.MULTILINE):
        shown.add(f"{kind_of}_total" if name == "counter" else kind_of)
    listed = set(re.findall(r"^\| `(nabd_[a-z_]+)", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown == listed


async def test_metrics_tell_of_the_notifier_and_of_channels_that_fail(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    async with watching(pool) as client:
        assert "nabd_notify_sign_of_life_age_seconds" not in await scrape(client)
        await connection.execute("UPDATE notifier SET alive_at = $1", NOON - timedelta(seconds=7))
        state = "INSERT INTO channel_state VALUES ('sms', $1, '503', $1), ('ntfy', $1, '200 OK', NULL)"
        await connection.execute(state, NOON)
        for name in ("told", "failing", "paused", "stopped", "over"):
            await builders.subscription(connection, name)
        await connection.execute(
            """
            UPDATE ngsi_subscription SET
                failures = CASE WHEN id LIKE '%:failing' THEN 3 ELSE 0 END,
                is_active = id NOT LIKE '%:paused',
                stopped = CASE WHEN id LIKE '%:stopped' THEN 'who made it is gone' ELSE '' END,
                expires_at = CASE WHEN id LIKE '%:over' THEN $1::timestamptz END
            """,
            NOON,
        )

        found = await scrape(client)

    subscribed = [found[f"nabd_subscriptions{{standing={s}}}"] for s in ("told", "failing", "paused")]
    assert subscribed == [1, 1, 2]
    assert found["nabd_notify_sign_of_life_age_seconds"] == 7
    assert (found["nabd_notifications_waiting"], found["nabd_notifications_doubtful"]) == (0, 0)
    assert (found["nabd_channel_failing{channel=sms}"], found["nabd_channel_failing{channel=ntfy}"]) == (1, 0)
