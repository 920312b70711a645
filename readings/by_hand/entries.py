"""Who entered a reading by hand: kept before it is sent, settled when ingest has said what became of it.

A stored reading names its row here by its unknown key `by_hand`, so none is without its author, whatever dies
between. A row whose reading was never stored is shown nowhere, and goes (readings.by_hand.expiry). Must not
know how readings are sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from devices.instants import EPOCH, Now, rfc3339, to_datetime
from devices.kinds import Kinds
from devices.kinds.kind import Kind
from devices.registry.errors import Conflict, Invalid
from devices.registry.registry import Device
from devices.wire.gateway import ENTRY
from readings import history
from readings.by_hand import form
from readings.by_hand.form import Value
from readings.tables import table_name
from store import audit
from store.audit import Actor
from store.connection import Connection

NOTE_LENGTH = 1_000
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
    """What somebody entered. stored_at: when its reading was known to be stored; None: that is not known."""

    id: int
    device: str
    observed_at: datetime
    author: str
    entered_at: datetime
    measurements: Mapping[str, Value]
    note: str
    stored_at: datetime | None

    def element(self, device: Device) -> dict[str, object]:
        """Return the reading as it is sent to ingest."""
        own = {"kind": device.kind, "device": device.wire, "ts": rfc3339(self.observed_at), ENTRY: self.id}
        return {**self.measurements, **own}


class CounterReset(Conflict):
    """A counter is less than it was: the meter was replaced, or somebody misread it; `reset` says the former.

    measurement: which; last, value: what it said before, and now, in its unit.
    """

    def __init__(self, measurement: str, last: float, value: float) -> None:
        super().__init__(
            f"{measurement} was {last:g} before and only grows; {value:g} is less: say `--reset` (`reset`) if"
            " the meter was replaced",
            key="conflict.counter_fell",
            name=measurement,
            last=f"{last:g}",
            value=f"{value:g}",
        )
        self.measurement, self.last, self.value = measurement, last, value


# Who sends the same again continues: the row is touched, not changed, so that it is returned.
_KEEP = """
WITH kept AS (
    INSERT INTO hand_reading AS h (device_id, observed_at, author_id, entered_at, measurements, note)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (device_id, observed_at, author_id, measurements) DO UPDATE SET note = h.note
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

    The same again, of the same person and instant, is the same row.

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
        raise Invalid("observed_at", f"{rfc3339(observed_at)} is later than now, {rfc3339(present)}")
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
    return HandReading(**kept)


def _kind_of(device: Device, kinds: Kinds) -> Kind:
    if device.retired_at is not None:
        raise Conflict(f"{device.name} is retired", key="conflict.device_retired", device=device.name)
    kind = kinds.get(device.kind)
    if kind is None:
        raise Invalid("device", f"{device.name} is a {device.kind}, which has no readings of its own")
    return kind


async def _refuse_fall(
    connection: Connection, kind: Kind, device: int, measurements: Mapping[str, Value], until: datetime
) -> None:
    for name, value in form.counters(kind, measurements).items():
        before = await history.newest(
            connection, kind, device, measurements=[name], start=EPOCH, end=until, limit=1, with_values=True
        )
        last = before[0].values[name] if before and name not in before[0].suspect else None
        if isinstance(last, int | float) and value < last:
            raise CounterReset(name, last, value)


_STORED = "UPDATE hand_reading SET stored_at = $2, refused = NULL WHERE id = $1 AND stored_at IS NULL"
_REFUSED = "UPDATE hand_reading SET refused = $2 WHERE id = $1 AND stored_at IS NULL"


async def settle(
    connection: Connection, device: Device, entry: HandReading, refused: str | None, now: Now, *, by: Actor
) -> HandReading:
    """Keep what ingest said of a reading, and return it so; refused: the reason of its rejection, if any."""
    if refused is None:
        stored_at = to_datetime(now())
        await connection.execute(_STORED, entry.id, stored_at)
        return replace(entry, stored_at=stored_at)
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
    coalesce(h.stored_at, r.received_at) AS stored_at
FROM hand_reading AS h
INNER JOIN device ON h.device_id = device.id
INNER JOIN named_principal AS author ON h.author_id = author.id
LEFT JOIN {table} AS r
    ON h.device_id = r.device_id AND h.observed_at = r.observed_at AND r.extra ->> 'by_hand' = h.id::text
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
    latest = datetime.max.replace(tzinfo=EPOCH.tzinfo)
    rows = await connection.fetch(query, device.id, start or EPOCH, end or latest, before, limit)
    return [HandReading(**row) for row in rows]
