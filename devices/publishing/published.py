"""Which municipalities publish, as it is read and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from devices.instants import Now, to_datetime
from devices.publishing.licences import LICENCES
from devices.registry.errors import Invalid, NotFound
from devices.suggestion import meant
from store import audit
from store.audit import Actor
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTown:
    """A municipality that publishes; licence: a name of LICENCES, published_at: since when it does."""

    municipality: str
    title: Mapping[str, str]
    licence: str
    published_at: datetime


_PUBLISHED = """
SELECT m.name AS municipality, m.title, o.licence, o.published_at
FROM open_data AS o
INNER JOIN municipality AS m ON o.municipality_id = m.id
WHERE $1::text IS NULL OR m.name = $1
ORDER BY m.name
"""


async def list_published(connection: Connection) -> list[PublishedTown]:
    """Return every municipality that publishes, by name."""
    return [PublishedTown(**row) for row in await connection.fetch(_PUBLISHED, None)]


async def get_published(connection: Connection, municipality: str) -> PublishedTown | None:
    """Return how a municipality publishes, None where it does not or there is none."""
    row = await connection.fetchrow(_PUBLISHED, municipality)
    return None if row is None else PublishedTown(**row)


_LOCKED = """
SELECT m.id, o.licence
FROM municipality AS m
LEFT JOIN open_data AS o ON m.id = o.municipality_id
WHERE m.name = $1
FOR UPDATE OF m
"""

_PUBLISH = """
INSERT INTO open_data AS o (municipality_id, licence, published_at) VALUES ($1, $2, $3)
ON CONFLICT (municipality_id) DO UPDATE SET licence = excluded.licence
"""

_WITHDRAW = "DELETE FROM open_data WHERE municipality_id = $1"


async def publish(
    connection: Connection, municipality: str, licence: str | None, now: Now, *, by: Actor
) -> None:
    """Publish a municipality's data under a licence, or, with None, publish it no more.

    Raises:
        NotFound: there is no such municipality.
        Invalid: field `licence`: it is none of LICENCES.
    """
    if licence is not None and licence not in LICENCES:
        raise Invalid("licence", f"{licence!r} is no licence here; {meant(licence, LICENCES)}")
    async with connection.transaction():
        row = await connection.fetchrow(_LOCKED, municipality)
        if row is None:
            raise NotFound("municipality", municipality, "`nabd municipality list` shows them")
        if row["licence"] == licence:
            return
        if licence is None:
            await connection.execute(_WITHDRAW, row["id"])
        else:
            await connection.execute(_PUBLISH, row["id"], licence, to_datetime(now()))
        await audit.record(
            connection,
            by=by,
            municipality=row["id"],
            action="open-data.withdraw" if licence is None else "open-data.publish",
            subject=municipality,
            before={"licence": row["licence"]},
            after={"licence": licence},
            now=now(),
        )
