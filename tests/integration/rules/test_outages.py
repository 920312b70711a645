"""A database that is away for a moment takes no healthy rule out of service."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import pytest

from alerts.events import events_after
from devices.instants import to_datetime
from rules.catalogue import catalogue, editing
from rules.loading.files import default_packs, parse
from rules.sweeps.leader import sweep_once
from rules.trial import shadows
from store.errors import Unavailable
from tests.actors import actor
from tests.integration.rules.beside import LiveAndShadow
from tests.integration.rules.ingestion import KINDS, Ingestion
from tests.integration.rules.test_live import OVERFLOW, START, fills
from tests.integration.rules.town import MINUTE, add_device

STATEMENTS = ("execute", "executemany", "fetch", "fetchrow", "fetchval")


@pytest.fixture(
    params=[
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        Unavailable("nobody answers"),
    ],
    ids=lambda error: type(error).__name__,
)
def outage(request: pytest.FixtureRequest) -> Exception:
    return cast(Exception, request.param)


class AwayFor:
    """A connection on which one statement fails, and everything else works."""

    def __init__(self, connection: asyncpg.Connection, statement: str, error: Exception) -> None:
        self._connection = connection
        self._statement = statement
        self._error = error

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name not in STATEMENTS:
            return found

        async def ask(query: str, *arguments: Any) -> Any:
            if self._statement in query:
                raise self._error
            return await found(query, *arguments)

        return ask


def away_for(connection: asyncpg.Connection, statement: str, error: Exception) -> asyncpg.Connection:
    return cast("asyncpg.Connection", AwayFor(connection, statement, error))


async def broken(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT id FROM rule WHERE broken_at IS NOT NULL")
    shadowed = await connection.fetch("SELECT rule FROM rule_shadow WHERE broken_at IS NOT NULL")
    return [r["id"] for r in rows] + [f"shadow of {r['rule']}" for r in shadowed]


async def started(connection: asyncpg.Connection) -> Ingestion:
    """Return ingest with one live rule and another text of it on trial."""
    await editing.apply(connection, parse(OVERFLOW, KINDS), by=await actor(connection, "Rima"), now=START)
    await shadows.add(connection, parse(OVERFLOW, KINDS), by=await actor(connection, "Rima"), now=START)
    return await Ingestion(connection, LiveAndShadow()).start()


@pytest.mark.parametrize("statement", ["INSERT INTO alert", "INSERT INTO shadow_transition"])
async def test_batch_is_tried_again_with_every_rule_when_the_database_was_away(
    connection: asyncpg.Connection, outage: Exception, statement: str
) -> None:
    device = await add_device(connection, "B-1")
    ingestion = await started(connection)
    await ingestion.commit(fills(device, (0, 90)))

    ingestion.connection = away_for(connection, statement, outage)
    with pytest.raises(type(outage)):
        await ingestion.commit(fills(device, (10, 90)))
    ingestion.connection = connection
    await ingestion.commit(fills(device, (10, 90)))

    assert await broken(connection) == []
    assert [(e.rule, str(e.type)) for e in await events_after(connection)] == [("overflow", "opened")]
    assert await connection.fetchval("SELECT count(*) FROM shadow_transition") == 1


async def test_sweep_is_tried_again_with_every_rule_when_the_database_was_away(
    connection: asyncpg.Connection, outage: Exception
) -> None:
    await catalogue.apply(connection, default_packs(KINDS), START)
    device = await add_device(connection, "B-1")
    now = to_datetime(START + 60 * MINUTE)
    await connection.execute(
        "INSERT INTO latest VALUES ($1, $2, $2, 600, 0, '{}')", device, to_datetime(START)
    )
    await connection.execute("UPDATE shard SET alive_at = $1, caught_up_at = $2", now, to_datetime(START))

    with pytest.raises(type(outage)):
        await sweep_once(away_for(connection, "INSERT INTO alert", outage), KINDS, START + 60 * MINUTE)
    assert await broken(connection) == []

    assert await sweep_once(connection, KINDS, START + 60 * MINUTE) == 1
    assert [(e.rule, str(e.type)) for e in await events_after(connection)] == [("silent", "opened")]
