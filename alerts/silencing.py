"""Silences for people: make one, list them, end one early.

Which alerts a silence covers stands in alerts.silences. Must not know HTTP or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg
import msgspec

from devices.acceptable import is_number
from devices.instants import to_datetime
from devices.kinds import STRUCTURAL, Kinds
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.registry import get_device, get_municipality
from store import audit
from store.audit import Actor
from store.connection import Connection

LONGEST = timedelta(days=366)
"""Longest silence: whatever nobody wants to hear of for longer should be another rule, or no rule."""
REASON_LENGTH = 500

State = Literal["coming", "active", "past"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSilence:
    """Which alerts, until when (not included) and why; all that is named must apply to an alert.

    municipality: that of the device without it, else all of them. attribute: name of one that devices have,
    and value as text. from_at: from now on without it.
    """

    until_at: datetime
    reason: str
    municipality: str | None = None
    device: str | None = None
    rule: str | None = None
    kind: str | None = None
    district: str | None = None
    attribute: str | None = None
    value: str | None = None
    from_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRecord:
    """One silence, by whom and what became of it.

    value: of the attribute, as text. until_at: as it was planned, not included. ended_at, ended_by: somebody
    ended it before that, perhaps before it began.
    """

    id: int
    municipality: str | None
    device: str | None
    rule: str | None
    kind: str | None
    district: str | None
    attribute: str | None
    value: str | None
    from_at: datetime
    until_at: datetime
    reason: str
    author: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    state: State


_SELECT = """
SELECT
    s.id, m.name AS municipality, d.name AS device, s.rule, s.kind, s.district, s.attribute,
    s.attribute_values [1] #>> '{}' AS value, s.from_at, s.until_at, s.reason, author.name AS author,
    s.created_at, s.ended_at, ender.name AS ended_by,
    CASE
        WHEN s.ended_at IS NOT NULL OR s.until_at <= $1 THEN 'past'
        WHEN s.from_at <= $1 THEN 'active'
        ELSE 'coming'
    END AS state
FROM silence AS s
INNER JOIN named_principal AS author ON s.author_id = author.id
LEFT JOIN named_principal AS ender ON s.ender_id = ender.id
LEFT JOIN municipality AS m ON s.municipality_id = m.id
LEFT JOIN device AS d ON s.device_id = d.id
"""
_LIST = (
    _SELECT
    + """
WHERE
    ($2::text IS NULL OR m.name IS NULL OR m.name = $2)
    AND ($3 OR (s.ended_at IS NULL AND s.until_at > $1))
    AND ($4::bigint IS NULL OR s.id > $4)
    AND ($6::text [] IS NULL OR m.name IS NULL OR m.name = ANY($6))
ORDER BY s.id
LIMIT $5
"""
)


async def list_silences(
    connection: Connection,
    *,
    now: int,
    municipality: str | None = None,
    past: bool = False,
    after: int | None = None,
    limit: int = 1000,
    within: Sequence[str] | None = None,
) -> list[SilenceRecord]:
    """Return silences in the order they were made; those of all municipalities whatever is asked for.

    Args:
        now: microseconds since 1970-01-01Z.
        municipality: only those of it.
        past: those that have ended too.
        after: the last id of the page before this one.
        within: only those of these municipalities; None: of all.

    Raises:
        NotFound: there is no such municipality.
    """
    if municipality is not None:
        await get_municipality(connection, municipality)
    rows = await connection.fetch(_LIST, to_datetime(now), municipality, past, after, limit, within)
    return [_record(row) for row in rows]


_GET = _SELECT + "WHERE s.id = $2"


async def get_silence(connection: Connection, silence: int, *, now: int) -> SilenceRecord:
    """Return one silence.

    Raises:
        NotFound: there is none of this number.
    """
    row = await connection.fetchrow(_GET, to_datetime(now), silence)
    if row is None:
        raise NotFound("silence", str(silence), "`nabd silence list --all` shows them")
    return _record(row)


_ADD = """
INSERT INTO silence (
    municipality_id, device_id, rule, kind, district, attribute, attribute_values, from_at, until_at, reason,
    author_id, created_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
RETURNING id
"""


async def add_silence(
    connection: Connection, kinds: Kinds, new: NewSilence, *, by: Actor, now: int
) -> SilenceRecord:
    """Silence alerts and return the silence.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such device, municipality, rule or district.
        Invalid: it names nothing, or no municipality where it must; is over, too long, or has no reason.
    """
    at = to_datetime(now)
    start = new.from_at or at
    _check(new, kinds, start, at)
    async with connection.transaction():
        municipality, device = await _place(connection, new)
        silence: int = await connection.fetchval(
            _ADD,
            municipality,
            device,
            new.rule,
            new.kind,
            new.district,
            new.attribute,
            None if new.value is None else values_meant(new.value),
            start,
            new.until_at,
            new.reason.strip(),
            by.principal,
            at,
        )
        after = {name: value for name, value in asdict(new).items() if value is not None}
        await _audit(
            connection, municipality, silence, "add", by=by, after={**after, "from_at": start}, now=now
        )
    return await get_silence(connection, silence, now=now)


def values_meant(text: str) -> list[str | float | bool]:
    """Return what an attribute may be whose value is given as text: that, and a number or a truth. Pure."""
    try:
        meant = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return [text]
    if isinstance(meant, bool) or is_number(meant):
        return [text, meant]
    return [text]


def _check(new: NewSilence, kinds: Kinds, start: datetime, now: datetime) -> None:
    if (new.attribute is None) != (new.value is None):
        raise Invalid("attribute", "an attribute has a name and a value")
    if not any((new.device, new.rule, new.kind, new.district, new.attribute)):
        raise Invalid(
            "device", "name a device, a rule, a kind, a district or an attribute, or several of them"
        )
    if new.municipality is None and new.device is None and (new.district or new.attribute):
        raise Invalid("municipality", "say of which municipality the district or the attribute is")
    if new.kind is not None and new.kind not in kinds and new.kind not in STRUCTURAL:
        raise Invalid("kind", f"{new.kind!r} is none of {', '.join([*kinds, *STRUCTURAL])}")
    if new.until_at <= start:
        raise Invalid("until_at", "the end must be later than the beginning")
    if new.until_at <= now:
        raise Invalid("until_at", "it would be over already")
    if new.until_at - start > LONGEST:
        raise Invalid("until_at", f"a silence lasts at most {LONGEST.days} days")
    if not 1 <= len(new.reason.strip()) <= REASON_LENGTH:
        raise Invalid("reason", f"say in 1 to {REASON_LENGTH} characters why")


_RULE = "SELECT EXISTS (SELECT FROM rule WHERE id = $1)"
_DISTRICT = """
SELECT EXISTS (
    SELECT FROM ground_feature WHERE municipality_id = $1 AND layer = 'districts' AND name = $2
)
"""


async def _place(connection: Connection, new: NewSilence) -> tuple[int | None, int | None]:
    """Return the numbers of municipality and device, after a look whether all that is named is there."""
    municipality = device = None
    if new.municipality is not None:
        municipality = (await get_municipality(connection, new.municipality)).id
    if new.device is not None:
        found = await get_device(connection, new.device)
        if municipality not in (None, found.municipality_id):
            raise Invalid("device", f"{found.name} stands in {found.municipality}")
        municipality, device = found.municipality_id, found.id
    if new.rule is not None and not await connection.fetchval(_RULE, new.rule):
        raise NotFound("rule", new.rule, "`nabd rule list` shows them")
    if new.district is not None and not await connection.fetchval(_DISTRICT, municipality, new.district):
        raise NotFound("district", new.district, "`nabd municipality layer show` shows them")
    return municipality, device


_END = """
UPDATE silence SET ended_at = $2, ender_id = $3
WHERE id = $1 AND ended_at IS NULL AND until_at > $2
RETURNING municipality_id
"""
# Whoever tells of alerts looks again: those that still fire are told now.
_NOTIFY = "SELECT pg_notify('nabd_alert', '')"


async def end_silence(connection: Connection, silence: int, *, by: Actor, now: int) -> SilenceRecord:
    """End a silence now, or take back one that has not begun.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is none of this number.
        Conflict: it has ended already.
    """
    async with connection.transaction():
        found = await get_silence(connection, silence, now=now)
        row = await connection.fetchrow(_END, silence, to_datetime(now), by.principal)
        if row is None:
            ended = found.ended_at or found.until_at
            raise Conflict(
                f"silence {silence} has been over since {ended.isoformat()}",
                key="conflict.silence_over", silence=str(silence),
            )  # fmt: skip
        after = {"ended_at": to_datetime(now)}
        before = {"ended_at": None}
        await _audit(
            connection, row["municipality_id"], silence, "end", by=by, before=before, after=after, now=now
        )
        await connection.execute(_NOTIFY)
    return await get_silence(connection, silence, now=now)


async def _audit(
    connection: Connection, municipality: int | None, silence: int, verb: str, **more: Any
) -> None:
    await audit.record(
        connection, municipality=municipality, action=f"silence.{verb}", subject=str(silence), **more
    )


def _record(row: asyncpg.Record) -> SilenceRecord:
    return SilenceRecord(**row)
