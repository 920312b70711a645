"""Commands to many devices: one administrator asks, another one approves, and only then is anything given.

Who approves is not who asked; the devices are those that are there when it is approved. Must not know what a
person is, MQTT or HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from devices.commands.new_command import EXPIRES_AFTER_S, LONGEST_S, NewCommand, check_args, patiently
from devices.commands.queue import enqueue, refusing
from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.kinds.commands import known_commands
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.registry import get_municipality, list_devices
from devices.suggestion import meant
from store import audit
from store.audit import Actor
from store.connection import Connection

LAPSES = timedelta(days=1)
"""After how long a request that nobody decided is not approved any more."""
MOST_DEVICES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A command to all devices of a kind in a municipality, in a district of it, or below a parent.

    expires_after_s: from the approval on; None: as long as a command to one device of theirs.
    """

    municipality: str
    kind: str
    district: str | None = None
    parent: str | None = None
    name: str
    args: Mapping[str, Any]
    expires_after_s: int | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """A request as it stands.

    devices: for how many it was when it was asked for, or approved. state: waiting, approved, refused or
    lapsed. left_out: devices that got no command when it was approved, because they took none.
    answers: of the commands that it gave, how many are in each status.
    """

    id: int
    municipality: str
    kind: str
    district: str | None
    parent: str | None
    name: str
    args: Mapping[str, Any]
    expires_after_s: int | None
    reason: str
    state: str
    devices: int
    left_out: int
    requested_by: str
    requested_by_id: int
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    answers: Mapping[str, int]


_ADD = """
INSERT INTO command_request (
    municipality_id, kind, district, parent, name, args, expires_after_s, reason, devices, requested_by,
    requested_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING id
"""


async def ask(
    connection: Connection, kinds: Kinds, new: NewRequest, now: Now, *, by: Actor
) -> CommandRequest:
    """Ask for a command to many devices.

    Raises:
        NotFound: there is no such municipality.
        Invalid: the kind, the command, an argument, the expiry or the reason is not acceptable, or no device
            is meant.
    """
    town = await get_municipality(connection, new.municipality)
    kind = kinds.get(new.kind)
    if kind is None:
        raise Invalid("kind", f"{new.kind!r} is no kind; {meant(new.kind, kinds)}")
    known = known_commands(kind)
    if new.name not in known:
        raise Invalid("name", f"a {new.kind} does not understand {new.name!r}; {meant(new.name, known)}")
    check_args(known[new.name], new.args)
    if new.expires_after_s is not None and not 0 < new.expires_after_s <= LONGEST_S:
        raise Invalid("expires_after_s", f"above 0, and {LONGEST_S} at most")
    if not 1 <= len(new.reason.strip()) <= 500:
        raise Invalid("reason", "say why, in 500 characters at most")
    found = len(await _devices(connection, new))
    if not found:
        raise Invalid("kind", "no device in service is meant; choose another district, parent or kind")
    where = (town.id, new.kind, new.district, new.parent)
    what = (new.name, dict(new.args), new.expires_after_s, new.reason.strip())
    async with connection.transaction():
        number: int = await connection.fetchval(_ADD, *where, *what, found, by.principal, to_datetime(now()))
        await audit.record(
            connection,
            by=by,
            municipality=town.id,
            action="command-request.ask",
            subject=str(number),
            after={"kind": new.kind, "district": new.district, "parent": new.parent, "devices": found}
            | {"name": new.name, "args": dict(new.args)},
            now=now(),
        )
    return await get_request(connection, number, now)


async def _devices(connection: Connection, of: NewRequest | CommandRequest) -> list[Any]:
    return await list_devices(
        connection,
        municipality=of.municipality,
        kind=of.kind,
        district=of.district,
        parent=of.parent,
        limit=MOST_DEVICES,
    )


_LIST = """
SELECT
    r.id, m.name AS municipality, r.kind, r.district, r.parent, r.name, r.args, r.expires_after_s, r.reason,
    CASE
        WHEN r.state = 'waiting' AND r.requested_at < $3::timestamptz - $4::interval THEN 'lapsed'
        ELSE r.state
    END AS state,
    r.devices, r.left_out, asker.name AS requested_by, r.requested_by AS requested_by_id, r.requested_at,
    decider.name AS decided_by, r.decided_at,
    coalesce((
        SELECT jsonb_object_agg(by_status.status, by_status.number)
        FROM (
            SELECT c.status, count(*) AS number FROM command AS c WHERE c.request_id = r.id GROUP BY c.status
        ) AS by_status
    ), '{}') AS answers
FROM command_request AS r
INNER JOIN municipality AS m ON r.municipality_id = m.id
INNER JOIN named_principal AS asker ON r.requested_by = asker.id
LEFT JOIN named_principal AS decider ON r.decided_by = decider.id
WHERE ($1::bigint IS NULL OR r.id = $1) AND ($2::text[] IS NULL OR m.name = ANY($2))
    AND ($5::bigint IS NULL OR r.id < $5)
ORDER BY r.id DESC
LIMIT $6
"""


async def list_requests(
    connection: Connection,
    now: Now,
    *,
    within: Collection[str] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[CommandRequest]:
    """Return a page of requests, the newest first; `within`: municipalities, None for all."""
    towns = None if within is None else sorted(within)
    rows = await connection.fetch(_LIST, None, towns, to_datetime(now()), LAPSES, before, limit)
    return [CommandRequest(**row) for row in rows]


async def get_request(connection: Connection, number: int, now: Now) -> CommandRequest:
    """Return one request.

    Raises:
        NotFound: none has that number.
    """
    row = await connection.fetchrow(_LIST, number, None, to_datetime(now()), LAPSES, None, 1)
    if row is None:
        raise NotFound("command request", str(number))
    return CommandRequest(**row)


_DECIDE = """
UPDATE command_request SET state = $2, decided_by = $3, decided_at = $4, devices = $5, left_out = $6
WHERE id = $1 AND state = 'waiting'
RETURNING id
"""


Prepare = Callable[[Sequence[NewCommand]], Awaitable[list[NewCommand]]]
"""Returns the commands as their devices take them, without those that cannot be said to theirs."""


async def approve(
    connection: Connection,
    kinds: Kinds,
    number: int,
    now: Now,
    *,
    by: Actor,
    new_id: Callable[[], UUID],
    prepare: Prepare | None = None,
) -> CommandRequest:
    """Give the command of a request to every device that is meant now, but for those that take none.

    Args:
        new_id: a random id of a command.
        prepare: how commands become what network servers send; None: all devices listen themselves.

    Raises:
        NotFound: none has that number.
        Conflict: it is decided already, has lapsed, or was asked for by the same one.
    """
    found = await _open(connection, number, now)
    if found.requested_by_id == by.principal:
        raise Conflict(
            f"request {number} was asked for by you; another administrator approves it",
            key="conflict.same_administrator",
        )
    command = known_commands(kinds.get(found.kind)).get(found.name)
    if command is None:
        raise Conflict(f"a {found.kind} does not understand {found.name!r} any more; ask anew")
    check_args(command, found.args)
    devices = await _devices(connection, found)
    expires_at = now() + (found.expires_after_s or EXPIRES_AFTER_S) * 1_000_000
    commands = [
        NewCommand(id=new_id(), device=d, name=found.name, args=found.args, expires_at=expires_at)
        for d in devices
    ]
    if prepare is not None:
        commands = await prepare(commands)
    if found.expires_after_s is None:
        commands = [patiently(one, now) for one in commands]
    async with connection.transaction():
        reasons = await refusing(connection, commands, now)
        commands = [one for one in commands if one.device.id not in reasons]
        await _decide(connection, found, "approved", now, by, len(commands), len(devices) - len(commands))
        await enqueue(connection, commands, now, by=by, request=number)
    return await get_request(connection, number, now)


async def refuse(connection: Connection, number: int, now: Now, *, by: Actor) -> CommandRequest:
    """Say no to a request, or take one's own back.

    Raises:
        NotFound: none has that number.
        Conflict: it is decided already, or has lapsed.
    """
    found = await _open(connection, number, now)
    async with connection.transaction():
        await _decide(connection, found, "refused", now, by, found.devices)
    return await get_request(connection, number, now)


async def _open(connection: Connection, number: int, now: Now) -> CommandRequest:
    found = await get_request(connection, number, now)
    if found.state != "waiting":
        raise Conflict(f"request {number} is {found.state} already; ask anew if it is still wanted")
    return found


async def _decide(
    connection: Connection,
    found: CommandRequest,
    state: str,
    now: Now,
    by: Actor,
    devices: int,
    left_out: int = 0,
) -> None:
    town = (await get_municipality(connection, found.municipality)).id
    row = (state, by.principal, to_datetime(now()), devices, left_out)
    if await connection.fetchval(_DECIDE, found.id, *row) is None:
        raise Conflict(f"request {found.id} was decided meanwhile; read it again")
    await audit.record(
        connection,
        by=by,
        municipality=town,
        action="command-request.approve" if state == "approved" else "command-request.refuse",
        subject=str(found.id),
        before={"state": "waiting"},
        after={"state": state, "devices": devices} | ({"left_out": left_out} if left_out else {}),
        now=now(),
    )
