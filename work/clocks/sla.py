"""How soon an order has to be accepted and done: targets by severity, of a kind, of a municipality.

Without any row there are defaults. Deadlines of open orders follow within seconds (work.clocks.deadlines).
Must not know HTTP or the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import asyncpg

from alerts.transition import Severity
from devices.kinds import STRUCTURAL, Kinds
from devices.registry.errors import Invalid, NotFound
from devices.registry.registry import get_municipality
from devices.suggestion import meant
from store import audit
from store.audit import Actor
from store.connection import Connection

_HOUR = timedelta(hours=1)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaTarget:
    """How soon an order of a severity has to be accepted and done, counted from when it was made.

    around_the_clock: else only working hours count.
    """

    severity: Severity
    response: timedelta
    repair: timedelta
    around_the_clock: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTarget:
    """A target with where it counts. municipality, kind: names; None: all. default: nobody has set it."""

    municipality: str | None
    kind: str | None
    target: SlaTarget
    default: bool = False


def _default(severity: Severity, response: int, repair: int, *, around_the_clock: bool = False) -> SlaTarget:
    return SlaTarget(
        severity=severity, response=response * _HOUR, repair=repair * _HOUR, around_the_clock=around_the_clock
    )


# Eight working hours are a day.
DEFAULTS: Mapping[Severity, SlaTarget] = {
    one.severity: one
    for one in (
        _default(Severity.CRITICAL, 1, 8, around_the_clock=True),
        _default(Severity.MAJOR, 4, 16),
        _default(Severity.MINOR, 8, 40),
        _default(Severity.WARNING, 16, 80),
    )
}


def target_of(targets: Sequence[LocalTarget], municipality: str, kind: str, severity: Severity) -> SlaTarget:
    """Return the target that counts: the most particular one, a municipality's before a kind's. Pure."""
    found = [
        one
        for one in targets
        if one.target.severity is severity
        and one.municipality in (None, municipality)
        and one.kind in (None, kind)
    ]
    if not found:
        return DEFAULTS[severity]
    return max(found, key=lambda one: (one.municipality is not None, one.kind is not None)).target


def check_kind(kind: str | None, kinds: Kinds) -> None:
    """Refuse a kind that is not declared; None is every kind. Pure.

    Raises:
        Invalid: there is no such kind.
    """
    known = [*kinds, *STRUCTURAL]
    if kind is not None and kind not in known:
        raise Invalid("kind", f"there is no kind {kind!r}; {meant(kind, known)}")


_LIST = """
SELECT municipality.name AS municipality, t.kind, t.severity, t.response, t.repair, t.around_the_clock
FROM sla_target AS t
LEFT JOIN municipality ON t.municipality_id = municipality.id
ORDER BY municipality.name NULLS FIRST, t.kind NULLS FIRST, t.severity
"""


async def list_targets(connection: Connection) -> list[LocalTarget]:
    """Return the targets that somebody has set."""
    return [_placed(row) for row in await connection.fetch(_LIST)]


_LOCK = "LOCK TABLE sla_target IN SHARE ROW EXCLUSIVE MODE"
_PUT = """
INSERT INTO sla_target (municipality_id, kind, severity, response, repair, around_the_clock)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (municipality_id, kind, severity) DO UPDATE SET
    response = excluded.response, repair = excluded.repair, around_the_clock = excluded.around_the_clock
"""


async def put_target(connection: Connection, new: LocalTarget, *, by: Actor, now: int) -> LocalTarget:
    """Set a target, in place of the one of the same severity, municipality and kind.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such municipality.
        Invalid: the repair is due before the response, or after more than LONGEST.
    """
    target = new.target
    if target.response <= timedelta(0):
        raise Invalid("response", "is longer than nothing")
    if not target.response <= target.repair <= LONGEST:
        raise Invalid("repair", f"is no shorter than the response, and at most {LONGEST.days} days")
    async with connection.transaction():
        town = await _town(connection, new.municipality)
        await connection.execute(_LOCK)
        before = await _present(connection, new)
        await connection.execute(
            _PUT, town, new.kind, target.severity, target.response, target.repair, target.around_the_clock
        )
        await _record(connection, "set", new, town, before, target, by, now)
    return new


_DROP = """
DELETE FROM sla_target
WHERE municipality_id IS NOT DISTINCT FROM $1 AND kind IS NOT DISTINCT FROM $2 AND severity = $3
"""


async def drop_target(
    connection: Connection,
    severity: Severity,
    *,
    municipality: str | None,
    kind: str | None,
    by: Actor,
    now: int,
) -> None:
    """Take a target back: the more general one counts again.

    Raises:
        NotFound: there is no such municipality, or nobody has set a target there.
    """
    place = LocalTarget(municipality=municipality, kind=kind, target=DEFAULTS[severity])
    async with connection.transaction():
        town = await _town(connection, municipality)
        await connection.execute(_LOCK)
        before = await _present(connection, place)
        if before is None:
            raise NotFound("target", severity.value, "`nabd sla show` shows those that are set")
        await connection.execute(_DROP, town, kind, severity)
        await _record(connection, "drop", place, town, before, None, by, now)


async def _town(connection: Connection, municipality: str | None) -> int | None:
    return None if municipality is None else (await get_municipality(connection, municipality)).id


async def _present(connection: Connection, place: LocalTarget) -> SlaTarget | None:
    key = (place.municipality, place.kind, place.target.severity)
    found = await list_targets(connection)
    return next((o.target for o in found if (o.municipality, o.kind, o.target.severity) == key), None)


async def _record(
    connection: Connection,
    verb: str,
    place: LocalTarget,
    town: int | None,
    before: SlaTarget | None,
    after: SlaTarget | None,
    by: Actor,
    now: int,
) -> None:
    said = [None if one is None else _said(one) for one in (before, after)]
    await audit.record(
        connection,
        by=by,
        municipality=town,
        action=f"sla.{verb}",
        subject=f"{place.target.severity} {place.kind or ''}".strip(),
        before=said[0],
        after=said[1],
        now=now,
    )


def _said(target: SlaTarget) -> dict[str, object]:
    found = asdict(target)
    return {
        "response_s": found["response"].total_seconds(),
        "repair_s": found["repair"].total_seconds(),
        "around_the_clock": target.around_the_clock,
    }


def _placed(row: asyncpg.Record) -> LocalTarget:
    target = SlaTarget(
        severity=Severity(row["severity"]),
        response=row["response"],
        repair=row["repair"],
        around_the_clock=row["around_the_clock"],
    )
    return LocalTarget(municipality=row["municipality"], kind=row["kind"], target=target)
