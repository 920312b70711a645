"""Sources as they are stored, with how it goes with them; their secrets, for who hears them. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

import asyncpg

from devices.registry.errors import NotFound
from devices.sources.source import Source, SourceState, Way
from store.connection import Connection

_LIST = """
SELECT
    s.id, s.name, municipality.name AS municipality, s.municipality_id, gateway.name AS gateway,
    coalesce(hardware.wire_name, gateway.name) AS gateway_wire, s.way, s.format, s.profile, s.profiles,
    s.url, s.topics, s.protocol, s.username, s.authority, s.enabled, s.created_at, s.changed_at,
    secret.source_id IS NOT NULL AS has_secret,
    state.connected, state.reason, state.since, state.alive_at, state.last_message_at, state.messages,
    state.readings, state.rejected, state.copies, state.refused, state.refused_at,
    state.problems, state.problem, state.problem_at, state.unread
FROM source AS s
INNER JOIN municipality ON s.municipality_id = municipality.id
INNER JOIN device AS gateway ON s.gateway_id = gateway.id
LEFT JOIN hardware ON gateway.id = hardware.device_id AND hardware.removed_at IS NULL
LEFT JOIN source_secret AS secret ON s.id = secret.source_id
LEFT JOIN source_state AS state ON s.id = state.source_id
WHERE
    ($1::text IS NULL OR s.name = $1)
    AND ($2::text [] IS NULL OR municipality.name = ANY($2))
ORDER BY s.name
"""
_LOCK = "SELECT FROM source WHERE name = $1 FOR UPDATE"


async def list_sources(connection: Connection, *, within: Collection[str] | None = None) -> list[Source]:
    """Return the sources by name; within: only those of these municipalities; None: all."""
    towns = None if within is None else list(within)
    return [_source(row) for row in await connection.fetch(_LIST, None, towns)]


async def get_source(
    connection: Connection, name: str, *, within: Collection[str] | None = None, lock: bool = False
) -> Source:
    """Return one source; lock: nobody else changes it until the caller's transaction ends.

    Raises:
        NotFound: there is none of that name within these municipalities.
    """
    if lock:
        await connection.execute(_LOCK, name)
    row = await connection.fetchrow(_LIST, name, None if within is None else list(within))
    if row is None:
        raise NotFound("source", name, "`nabd source list` shows them")
    return _source(row)


_SECRET = "SELECT secret FROM source_secret WHERE source_id = $1"  # noqa: S105 - a query


async def secret_of(connection: Connection, source: Source) -> str:
    """Return a source's secret for whoever signs in with it or checks a signature; empty: it has none."""
    return await connection.fetchval(_SECRET, source.id) or ""


_STATE = tuple(one.name for one in fields(SourceState))


def _source(row: asyncpg.Record) -> Source:
    told: dict[str, Any] = dict(row)
    state = {name: told.pop(name) for name in _STATE}
    told["way"] = Way(told["way"])
    told["topics"] = tuple(told["topics"])
    return Source(**told, state=None if state["connected"] is None else SourceState(**state))
