"""Who does not run what a rollout has brought to the others is told after a week, and until then."""

from __future__ import annotations

import asyncpg

from alerts.queue import list_alerts
from devices.instants import to_datetime
from rules.catalogue import catalogue
from rules.loading.files import default_packs
from tests.integration.rules.sweeps.test_silent import KINDS, NOON, sweep
from tests.integration.rules.sweeps.test_unheard import registered
from tests.integration.rules.town import MINUTE

WEEK_MIN = 7 * 24 * 60


async def rolled_out(connection: asyncpg.Connection, version: str, minute: float) -> None:
    at = to_datetime(NOON + round(minute * MINUTE))
    sha256 = f"{minute:064.0f}"
    await connection.execute(
        """
        INSERT INTO firmware_image (sha256, kind, version, size, signature, public_key, added_at, added_by)
        VALUES ($1, 'bin', $2, 1, '', '', $3, 0)
        """,
        sha256,
        version,
        at,
    )
    await connection.execute(
        """
        INSERT INTO rollout (
            sha256, stages, tolerated_pct, watch_s, offer_s, state, started_by, started_at, ended_at
        )
        VALUES ($1, '{100}', 10, 0, 60, 'done', 0, $2, $2)
        """,
        sha256,
        at,
    )


async def runs(connection: asyncpg.Connection, device: int, firmware: str) -> None:
    await connection.execute(
        """
        INSERT INTO device_config (device_id, firmware, reported_at) VALUES ($1, $2, $3)
        ON CONFLICT (device_id) DO UPDATE SET firmware = excluded.firmware
        """,
        device,
        firmware,
        to_datetime(NOON),
    )


async def behind(connection: asyncpg.Connection) -> list[str]:
    found = await list_alerts(connection)
    return [one.device for one in found if one.rule == "firmware-behind" and one.resolved_at is None]


async def test_device_that_runs_what_others_no_longer_do_is_told_until_it_is_updated(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    old, new, mute = [await registered(connection, name) for name in ("B-1", "B-2", "B-3")]
    await runs(connection, old, "1.0.0")
    await runs(connection, new, "2.0.0")
    await rolled_out(connection, "2.0.0", 10)

    await sweep(connection, WEEK_MIN + 9)
    assert await behind(connection) == []
    await sweep(connection, WEEK_MIN + 11)
    assert await behind(connection) == ["B-1"], "B-3 does not say what it runs"
    (alert,) = [a for a in await list_alerts(connection) if a.rule == "firmware-behind"]
    assert alert.summary["en"] == "B-1 runs firmware 1.0.0, not 2.0.0"
    assert alert.opened_at == to_datetime(NOON + (WEEK_MIN + 10) * MINUTE)

    await runs(connection, old, "2.0.0")
    await sweep(connection, WEEK_MIN + 13)
    assert await behind(connection) == []
    await rolled_out(connection, "3.0.0", WEEK_MIN + 20)
    await runs(connection, mute, "1.0.0")
    await sweep(connection, 2 * WEEK_MIN + 21)
    assert sorted(await behind(connection)) == ["B-1", "B-2", "B-3"]


async def test_device_that_a_later_rollout_updated_before_it_was_cancelled_is_not_behind(
    connection: asyncpg.Connection,
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), NOON)
    ahead, old = [await registered(connection, name) for name in ("B-1", "B-2")]
    await runs(connection, ahead, "3.0.0")
    await runs(connection, old, "1.0.0")
    await rolled_out(connection, "2.0.0", 10)
    await rolled_out(connection, "3.0.0", 20)
    await connection.execute(
        """
        WITH cancelled AS (
            UPDATE rollout SET state = 'cancelled' WHERE started_at = $1 RETURNING id
        )

        INSERT INTO rollout_device (rollout_id, device_id, position, stage, state, changed_at)
        SELECT cancelled.id, d.id, d.position, 0, d.state, $1
        FROM cancelled, unnest($2::integer[], '{0,1}'::integer[], '{updated,waiting}'::text[])
            AS d (id, position, state)
        """,
        to_datetime(NOON + 20 * MINUTE),
        [ahead, old],
    )

    await sweep(connection, WEEK_MIN + 30)
    assert await behind(connection) == ["B-2"]
