"""Who entered a reading by hand: kept before it is sent, settled when ingest has said what became of it.

A stored reading names its row here by its unknown key `hand_reading`, so none is without its author,
whatever dies between. A row whose reading was never stored is shown nowhere, and goes
(readings.by_hand.expiry). Must not know how readings are sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from devices.instants import EPOCH, Now, rfc3339, to_datetime
from devices.kinds import Kinds
from devices.kinds.kind import Kind
from devices.registry.errors import Conflict, Invalid
from devices.registry.registry import Device
from devices.wire.gateway import ENTRY
from readings import history
from readings.by_hand import form
from readings.by_hand.form import Value, digits
from readings.tables import table_name
from store import audit
from store.audit import Actor
from store.connection import Connection

NOTE_LENGTH = 1_000
_END = datetime.max.replace(tzinfo=EPOCH.tzinfo)
EARLY = timedelta(minutes=1)
"""So much later than our own clock a phone's may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHandReading:
    """What somebody enters. observed_at: now where it is None. reset: a counter may be less than it was."""

    measurements: Mapping[str, Value | None]
    observed_at: datetime | None = None
    note: str = ""
    reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandReading:
    """What somebody entered.

    stored_at: when its reading was known to be stored; None: that is not known. suspect: measurements of the
    stored reading that are not to be believed.
    """

    id: int
    device: str
    observed_at: datetime
    author: str
    entered_at: datetime
    measurements: Mapping[str, Value]
    note: str
    stored_at: datetime | None
    suspect: tuple[str, ...] = ()

    def element(self, device: Device) -> dict[str, object]:
        """Return the reading as it is sent to ingest."""
        own = {"kind": device.kind, "device": device.wire, "ts": rfc3339(self.observed_at), ENTRY: self.id}
        return {**self.measurements, **own}


class CounterReset(Conflict):
    """A counter is less than it was, or more than it is later: misread, or the meter was replaced (`reset`).

    measurement: which; last, value: what the nearest reading says, and this one, in its unit. later: the
    nearest one is of a later instant.
    """

    def __init__(self, measurement: str, last: float, value: float, *, later: bool = False) -> None:
        there, said = digits(last), digits(value)
        why = f"is {there} later" if later else f"was {there} before"
        super().__init__(
            f"{measurement} {why} and only grows; {said} is {'more' if later else 'less'}: say `--reset`"
            " (`reset`) if the meter was replaced",
            key="conflict.counter_over" if later else "conflict.counter_fell",
            name=measurement,
            last=there,
            value=said,
        )
        self.measurement, self.last, self.value, self.later = measurement, last, value, later


# Who sends the same again continues: housekeeping takes it for new then, and a note is as it was said last.
_KEEP = """
WITH kept AS (
    INSERT INTO hand_reading AS h (device_id, observed_at, author_id, entered_at, measurements, note)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (device_id, observed_at, author_id, md5(measurements::text)) DO UPDATE SET
        note = coalesce(nullif(excluded.note, ''), h.note),
        entered_at = CASE WHEN h.stored_at IS NULL THEN excluded.entered_at ELSE h.entered_at END
    RETURNING h.*, h.xmax = 0 AS is_new
)

SELECT
    kept.id, device.name AS device, kept.observed_at, author.name AS author, kept.entered_at,
    kept.measurements, kept.note, kept.stored_at, kept.is_new
FROM kept
INNER JOIN device ON kept.device_id = device.id
INNER JOIN named_principal AS author ON kept.author_id = author.id
"""


async def enter(
    connection: Connection, kinds: Kinds, device: Device, new: NewHandReading, now: Now, *, by: Actor
) -> HandReading:
    """Keep who enters a reading, with the audit; its element is to be sent then.

    The same again, of the same person and instant, is the same row; a note of then gives way to a new one.

    Raises:
        Invalid: names the field.
        Conflict: the device is retired.
        CounterReset: see there.
    """
    kind = _kind_of(device, kinds)
    measurements = form.checked(kind, new.measurements)
    note = new.note.strip()
    if len(note) > NOTE_LENGTH:
        raise Invalid("note", f"write {NOTE_LENGTH:,} characters at most")
    present = to_datetime(now())
    observed_at = new.observed_at or present
    if observed_at > present + EARLY:
        why = f"{rfc3339(observed_at)} is later than now, {rfc3339(present)}"
        raise Invalid("observed_at", why, key="console.reading_later")
    async with connection.transaction():
        row = await connection.fetchrow(
            _KEEP, device.id, observed_at, by.principal, present, measurements, note
        )
        assert row is not None, "a row that was written"
        kept = {**row}
        is_new = kept.pop("is_new")
        if is_new:
            if not new.reset:
                await _refuse_fall(connection, kind, device.id, measurements, observed_at)
            await audit.record(
                connection,
                by=by,
                municipality=device.municipality_id,
                action="reading.enter",
                subject=device.name,
                after={
                    "entry": kept["id"],
                    "observed_at": rfc3339(observed_at),
                    "measurements": measurements,
                    **({"reset": True} if new.reset else {}),
                },
                now=now(),
            )
    return await _judged(connection, kind, device, HandReading(**kept))


async def _judged(connection: Connection, kind: Kind, device: Device, entry: HandReading) -> HandReading:
    """Return an entry with what its stored reading says is not to be believed."""
    if entry.stored_at is None:
        return entry
    names = list(entry.measurements)
    at = [entry.observed_at]
    found = await history.readings_at(connection, kind, device.id, measurements=names, instants=at)
    return replace(entry, suspect=found[0].suspect) if found else entry


def _kind_of(device: Device, kinds: Kinds) -> Kind:
    if device.retired_at is not None:
        raise Conflict(f"{device.name} is retired", key="conflict.device_retired", device=device.name)
    kind = kinds.get(device.kind)
    if kind is None:
        raise Invalid("device", f"{device.name} is a {device.kind}, which has no readings of its own")
    return kind


async def _refuse_fall(
    connection: Connection, kind: Kind, device: int, measurements: Mapping[str, Value], at: datetime
) -> None:
    for name, value in form.counters(kind, measurements).items():
        asked: Any = {"measurements": [name], "limit": 1, "with_values": True, "good": True}
        before = await history.newest(connection, kind, device, start=EPOCH, end=at, **asked)
        if (last := _number(before, name)) is not None and value < last:
            raise CounterReset(name, last, value)
        after = at + timedelta(microseconds=1)
        later = await history.readings(connection, kind, device, start=after, end=_END, **asked)
        if (last := _number(later, name)) is not None and value > last:
            raise CounterReset(name, last, value, later=True)


def _number(found: Sequence[history.Reading], name: str) -> float | None:
    said = found[0].values[name] if found else None
    return float(said) if isinstance(said, int | float) else None


_STORED = "UPDATE hand_reading SET stored_at = $2, refused = NULL WHERE id = $1 AND stored_at IS NULL"
_REFUSED = "UPDATE hand_reading SET refused = $2 WHERE id = $1 AND stored_at IS NULL"


async def settle(
    connection: Connection,
    kinds: Kinds,
    device: Device,
    entry: HandReading,
    refused: str | None,
    now: Now,
    *,
    by: Actor,
) -> HandReading:
    """Keep what ingest said of a reading, and return it so; refused: the reason of its rejection, if any."""
    if refused is None:
        stored_at = to_datetime(now())
        await connection.execute(_STORED, entry.id, stored_at)
        return await _judged(connection, kinds[device.kind], device, replace(entry, stored_at=stored_at))
    async with connection.transaction():
        await connection.execute(_REFUSED, entry.id, refused)
        await audit.record(
            connection,
            by=by,
            municipality=device.municipality_id,
            action="reading.refused",
            subject=device.name,
            after={"entry": entry.id, "rejected": refused},
            now=now(),
        )
    return entry


_LIST = """
SELECT
    h.id, device.name AS device, h.observed_at, author.name AS author, h.entered_at, h.measurements, h.note,
    coalesce(h.stored_at, r.received_at) AS stored_at, r.quality
FROM hand_reading AS h
INNER JOIN device ON h.device_id = device.id
INNER JOIN named_principal AS author ON h.author_id = author.id
LEFT JOIN {table} AS r
    ON h.device_id = r.device_id AND h.observed_at = r.observed_at AND r.extra ->> 'hand_reading' = h.id::text
WHERE
    h.device_id = $1 AND h.observed_at >= $2 AND h.observed_at < $3
    AND (h.stored_at IS NOT NULL OR r.device_id IS NOT NULL)
    AND ($4::bigint IS NULL OR (h.observed_at, h.id) < (
        SELECT last.observed_at, last.id FROM hand_reading AS last WHERE last.id = $4
    ))
ORDER BY h.observed_at DESC, h.id DESC
LIMIT $5
"""


async def list_hand_readings(
    connection: Connection,
    kinds: Kinds,
    device: Device,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[HandReading]:
    """Return a page of what was entered of a device and is stored, observed in [start, end), the last first.

    Args:
        connection: the database.
        kinds: what is declared: of another kind nothing is entered.
        device: of which.
        start, end: None: without bound.
        before: the last id of the page before.
        limit: at most so many.
    """
    if device.kind not in kinds:
        return []
    query = _LIST.format(table=table_name(device.kind))
    rows = await connection.fetch(query, device.id, start or EPOCH, end or _END, before, limit)
    return [_row(kinds[device.kind], {**row}) for row in rows]


def _row(kind: Kind, row: dict[str, Any]) -> HandReading:
    suspect = history.suspect(kind, row.pop("quality") or 0)
    return HandReading(**row, suspect=tuple(name for name in suspect if name in row["measurements"]))
