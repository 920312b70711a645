"""Two municipalities with devices of every kind, their readings, alerts and work, in either edition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np

from devices.kinds import load
from devices.kinds.kind import Kind, Measurement, ValueType
from readings.rollups import marks
from readings.rollups import roll_up as rollups
from readings.rollups.marks import Touched
from tests.databases import now

KINDS = load()
TOWNS = ("saida", "tripoli")
DEVICES_OF_A_KIND = 2
READINGS_OF_A_DEVICE = 60
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when somebody looks."""

    start: datetime
    end: datetime


LAST_DAY = timedelta(hours=24)

TOWN = """
TRUNCATE municipality, device, rejection, ledger, rule, latest, delivery, work_order CASCADE;
INSERT INTO municipality (name, time_zone) VALUES ('saida', 'Asia/Beirut'), ('tripoli', 'Asia/Beirut');
INSERT INTO ground_feature
(municipality_id, layer, name, title, geometry, west, south, east, north, created_at, updated_at)
SELECT id, 'districts', name || '-port', '{}', '{}', 0, 0, 1, 1, now(), now() FROM municipality;
INSERT INTO rule (id, version, definition, created_at) VALUES ('low', 1, '{}', now());
INSERT INTO ledger (shard, batch, received_at, messages, received, stored, duplicate, rejected, undated)
VALUES ('main', 1, now() - interval '1 hour', 5, 6, 4, 1, 1, 0);
INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)
VALUES ('main', 1, now() - interval '1 hour', 't', 'saida-bin-1', 'malformed', '', 'secret', ''),
('main', 1, now() - interval '1 hour', 't', 'tripoli-bin-1', 'malformed', '', 'secret', ''),
('main', 1, now() - interval '1 hour', 't', 'nobody', 'unknown-device', '', '', '');
INSERT INTO delivery (id, call_id, person_id, channel, address, state, due_at, created_at, handed_over_at)
VALUES (gen_random_uuid(), gen_random_uuid(), 0, 'email', 'a@example.org', 'delivered', now(),
    now() - interval '2 hours', now() - interval '2 hours');
UPDATE shard SET alive_at = now(), caught_up_at = now();
"""
DEVICE = """
INSERT INTO device (name, title, municipality_id, kind, lat, lon, district_id, installed_at)
SELECT m.name || '-' || $2 || '-' || n, 'Souk ' || n, m.id, $2, 34.4, 35.8, g.id, now() - interval '1 year'
FROM municipality AS m
INNER JOIN ground_feature AS g ON g.municipality_id = m.id
CROSS JOIN generate_series(1, $1) AS n
ORDER BY m.id, n
"""
LATEST = """
INSERT INTO latest (device_id, observed_at, received_at, interval_s, quality, measurements)
SELECT id, now(), now() - interval '1 minute', 600, 0, jsonb_build_object($2::text, 50.0 + id)
FROM device WHERE kind = $1
"""
ALERTS = """
INSERT INTO alert
(rule, rule_version, device_id, state, severity, opened_at, detected_at, resolved_at, summary, evidence)
SELECT
    'low', 1, d.id, s.state, s.severity, now() - s.ago, now() - s.ago,
    CASE WHEN s.state = 'resolved' THEN now() - s.ago + interval '30 minutes' END,
    jsonb_build_object('en', 'Low: ' || d.name, 'fr', 'Bas : ' || d.name, 'ar', 'منخفض ' || d.name), '{}'
FROM device AS d
CROSS JOIN (VALUES
    ('firing', 'critical', interval '3 hours'),
    ('resolved', 'minor', interval '6 hours'),
    ('resolved', 'major', interval '40 days')
) AS s (state, severity, ago)
ORDER BY d.id
"""
WORK = """
INSERT INTO work_order
(municipality_id, device_id, origin, rule, severity, title, state, author_id, created_at, response_due_at,
    repair_due_at, accepted_at, arrived_at, ended_at)
SELECT
    d.municipality_id, d.id, 'rule', 'low', 'critical', 'Look', s.state, 0, now() - s.ago,
    now() - s.ago + interval '1 hour', now() - s.ago + interval '4 hours',
    CASE WHEN s.state <> 'open' THEN now() - s.ago + interval '30 minutes' END,
    CASE WHEN s.state = 'done' THEN now() - s.ago + interval '50 minutes' END,
    CASE WHEN s.state = 'done' THEN now() - s.ago + interval '2 hours' END
FROM device AS d
CROSS JOIN (VALUES
    ('open', interval '20 hours'), ('done', interval '8 hours'), ('done', interval '40 days')
) AS s (state, ago)
"""


async def build(connection: asyncpg.Connection) -> None:
    """Make the town, its readings in the last day."""
    await connection.execute(TOWN)
    for kind in KINDS.values():
        await connection.execute(DEVICE, DEVICES_OF_A_KIND, kind.name)
        await connection.execute(LATEST, kind.name, kind.headline)
        await connection.execute(f"TRUNCATE {kind.name}_reading, {kind.name}_hour, {kind.name}_day")
        await connection.execute(_readings(kind), READINGS_OF_A_DEVICE)
        await roll_up(connection, kind)
    await connection.execute(ALERTS)
    await connection.execute(WORK)


async def roll_up(connection: asyncpg.Connection, kind: Kind) -> None:
    """Make rollups of a kind's last hours, a device at a time: TimescaleDB in tests takes small messages."""
    rows = await connection.fetch("SELECT id FROM device WHERE kind = $1 ORDER BY id", kind.name)
    until = now()
    for row in rows:
        touched = Touched(
            device_id=np.array([row["id"]], np.int32),
            first=np.array([until - 3 * HOUR_US]),
            last=np.array([until - HOUR_US]),
        )
        await marks.mark(connection, kind.name, touched, until)
        assert await rollups.roll_up(connection, kind, 1) > 0


def last_day() -> Span:
    """Return the day until now, by the clock of the database's machine."""
    now = datetime.now(UTC)
    return Span(start=now - LAST_DAY, end=now)


def _readings(kind: Kind) -> str:
    names = ", ".join(m.name for m in kind.measurements)
    values = ", ".join(_value(m) for m in kind.measurements)
    return f"""
    INSERT INTO {kind.name}_reading (device_id, observed_at, received_at, quality, {names})
    SELECT d.id, now() - n * interval '20 minutes', now() - n * interval '20 minutes', 0, {values}
    FROM device AS d CROSS JOIN generate_series(1, $1) AS n
    WHERE d.kind = '{kind.name}'
    """


def _value(m: Measurement) -> str:
    match m.type:
        case ValueType.BOOLEAN:
            return "n % 2 = 0"
        case ValueType.TEXT:
            return f"'{m.choices[0] if m.choices else 'a'}'"
    low, high = m.low or 0.0, m.high or 100.0
    # A counter grows with time, and n counts back.
    return f"{low} + {(high - low) / 1000} * (100 - n)" if m.counter else f"{(low + high) / 2} + n % 3"
