"""Which shard owns which municipality: shards are added and seized, municipalities change hands.

What a move is made of; in which order stands in the shell (nabd/dividing.py). Must not know the broker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from devices.instants import Now
from devices.registry import generation
from devices.registry.errors import AlreadyExists, Invalid, NotFound
from store import audit, holder
from store.audit import Actor, AuditedChange
from store.connection import Connection

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardStanding:
    """A shard as operators see it. arriving: municipalities on their way to it, which hold its ingest up."""

    name: str
    client_id: str
    municipalities: tuple[str, ...]
    arriving: tuple[str, ...]
    devices: int
    batch: int
    alive_at: datetime | None
    caught_up_at: datetime | None
    emptied_at: datetime | None


_LIST = """
SELECT
    s.name, s.client_id, s.batch, s.alive_at, s.caught_up_at, s.emptied_at,
    ARRAY(SELECT m.name FROM municipality AS m WHERE m.shard = s.name ORDER BY m.name) AS municipalities,
    ARRAY(
        SELECT m.name FROM municipality AS m WHERE m.shard = s.name AND m.leaving IS NOT NULL ORDER BY m.name
    ) AS arriving,
    (
        SELECT count(*) FROM device AS d
        INNER JOIN municipality AS m ON d.municipality_id = m.id
        WHERE m.shard = s.name AND d.retired_at IS NULL
    ) AS devices
FROM shard AS s
ORDER BY s.name <> 'main', s.name
"""


async def list_shards(connection: Connection) -> list[ShardStanding]:
    """Return every shard, `main` first."""
    return [
        ShardStanding(
            **{
                **dict(row),
                "municipalities": tuple(row["municipalities"]),
                "arriving": tuple(row["arriving"]),
            }
        )
        for row in await connection.fetch(_LIST)
    ]


async def get_shard(connection: Connection, name: str) -> ShardStanding:
    """Return one shard.

    Raises:
        NotFound: there is none of that name.
    """
    for shard in await list_shards(connection):
        if shard.name == name:
            return shard
    raise NotFound("shard", name, f"`nabd shard add {name}` makes it, `nabd shard list` shows the others")


_ADD = """
INSERT INTO shard (name, generation) SELECT $1, max(generation) FROM shard
ON CONFLICT (name) DO NOTHING
RETURNING name
"""


async def add_shard(connection: Connection, name: str, now: Now, *, by: Actor) -> ShardStanding:
    """Add a shard, which owns nothing yet.

    Raises:
        AlreadyExists: the name is taken.
        Invalid: it is no name.
    """
    if not NAME.fullmatch(name):
        raise Invalid("name", "a-z, 0-9 and -, a letter first, at most 32")
    async with connection.transaction():
        if await connection.fetchval(_ADD, name) is None:
            raise AlreadyExists("shard", name, "`nabd shard list` shows it")
        await audit.record(
            connection, by=by, municipality=None, action="shard.add", subject=name, after={}, now=now()
        )
    return await get_shard(connection, name)


_FENCE = "UPDATE shard SET owner = $2, emptied_at = NULL WHERE name = $1"


async def seize(connection: Connection, name: str) -> None:
    """Take a shard from its ingest, which lets go of what it has not committed and stands by.

    Held until the connection ends, or `release`.
    """
    # It cannot claim the shard again once the name is not its own; nor commit once the owner is another.
    await holder.take(connection, f"shard {name}")
    await connection.execute(_FENCE, name, uuid4())


async def release(connection: Connection, name: str) -> None:
    """Let the next ingest own a shard."""
    await holder.release(connection, f"shard {name}")


_MOVING = """
SELECT id, name, shard, leaving FROM municipality WHERE name = ANY($1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A municipality that is to move; `begun` by an earlier attempt that did not come to its end."""

    id: int
    name: str
    from_shard: str
    begun: bool


async def moving(connection: Connection, municipalities: Sequence[str], to: str) -> list[Move]:
    """Return which of some municipalities must move, and from where.

    Raises:
        NotFound: one is not registered.
        Invalid: one is on its way to another shard.
    """
    found = {row["name"]: row for row in await connection.fetch(_MOVING, list(municipalities))}
    moves = []
    for name in municipalities:
        if (row := found.get(name)) is None:
            raise NotFound("municipality", name, "`nabd municipality list` shows them")
        if row["leaving"] is not None and row["shard"] != to:
            said = f"{name} is on its way to shard {row['shard']}"
            raise Invalid("to", f"{said}: end that first by `nabd shard divide {name} --to {row['shard']}`")
        if row["shard"] != to or row["leaving"] is not None:
            moves.append(
                Move(
                    id=row["id"],
                    name=name,
                    from_shard=row["leaving"] or row["shard"],
                    begun=row["leaving"] is not None,
                )
            )
    return moves


_BEGIN = "UPDATE municipality SET leaving = shard, shard = $2 WHERE id = ANY($1) AND leaving IS NULL"


async def begin(connection: Connection, moves: Sequence[Move], to: str, now: Now, *, by: Actor) -> None:
    """Give municipalities to a shard whose ingest waits until the one that they leave has drained."""
    new = [move for move in moves if not move.begun]
    if not new:
        return
    changes = [
        AuditedChange(
            municipality=move.id,
            action="municipality.divide",
            subject=move.name,
            before={"shard": move.from_shard},
            after={"shard": to},
        )
        for move in new
    ]
    async with connection.transaction():
        await connection.execute(_BEGIN, [move.id for move in new], to)
        await audit.record_many(connection, changes, by=by, now=now())
        await generation.advance(connection)


_EMPTIED = "SELECT emptied_at IS NOT NULL FROM shard WHERE name = $1"


async def has_emptied(connection: Connection, name: str) -> bool:
    """Tell whether the broker had nothing left for a shard at some moment since it was seized."""
    return bool(await connection.fetchval(_EMPTIED, name))


_FINISH = "UPDATE municipality SET leaving = NULL WHERE id = ANY($1)"
_DEVICES = "SELECT id FROM device WHERE municipality_id = ANY($1)"


async def devices_of(connection: Connection, moves: Sequence[Move]) -> list[int]:
    """Return the devices that move."""
    rows = await connection.fetch(_DEVICES, [move.id for move in moves])
    return [row["id"] for row in rows]


async def finish(connection: Connection, moves: Sequence[Move]) -> None:
    """Let the new shard's ingest begin."""
    await connection.execute(_FINISH, [move.id for move in moves])
