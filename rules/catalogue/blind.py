"""Rules that cannot be decided on a device: it no longer sends, or never sent, what they look at.

Judged for a day, or ten of the device's intervals where that is longer. Asked when somebody wants to know:
ingest keeps no account of it. Reads only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from devices.instants import to_datetime
from devices.kinds.kind import Kind
from readings.tables import table_name
from rules.catalogue import catalogue
from rules.definition.definition import Definition
from rules.definition.warning import RuleWarning
from rules.language.blind import blind_conditions, is_blind, looked_at
from store.connection import Connection

LEAST_S = 86_400.0
INTERVALS = 10.0
"""A rule is blind on a device once it could not be decided for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindRule:
    """A rule that could not be decided on a device since before `since`. missing: what it lacks for it."""

    rule: str
    device: str
    kind: str
    municipality: str
    missing: tuple[str, ...]
    since: datetime


# $2: measurements that rules look at, $3: their quality bits together. It only narrows what is asked: the
# newest reading shows what may be missing, the stored ones whether it has long been.
SUSPECTS = """
SELECT latest.device_id, device.name AS device, municipality.name AS municipality, latest.observed_at,
    latest.interval_s, latest.quality,
    ARRAY(SELECT jsonb_object_keys(latest.measurements)) AS told
FROM latest
INNER JOIN device ON latest.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.kind = $1 AND device.retired_at IS NULL AND latest.received_at >= device.installed_at
    AND (NOT latest.measurements ?& $2::text [] OR latest.quality & $3::bigint <> 0)
    AND ($4::text IS NULL OR device.name = $4)
    AND ($5::text IS NULL OR device.name > $5)
    AND ($7::text [] IS NULL OR municipality.name = ANY($7))
ORDER BY device.name
LIMIT $6
"""

# Names of kinds and measurements are checked by their declaration; they cannot be parameters.
LACKING = """
SELECT asked.device_id
FROM unnest($1::int [], $2::timestamptz []) AS asked (device_id, since)
WHERE NOT EXISTS (
    SELECT FROM {table} AS reading
    WHERE reading.device_id = asked.device_id AND reading.observed_at > asked.since
        AND reading.{measurement} IS NOT NULL AND (reading.quality >> {bit}) & 1 = 0
)
AND EXISTS (
    SELECT FROM {table} AS reading
    WHERE reading.device_id = asked.device_id AND reading.observed_at <= asked.since
)
"""


async def blind_rules(
    connection: Connection,
    kinds: Mapping[str, Kind],
    now: int,
    *,
    rule: str | None = None,
    device: str | None = None,
    after: str | None = None,
    limit: int = 1000,
    within: Sequence[str] | None = None,
) -> list[BlindRule]:
    """Return the rules in force that are blind, by device and rule.

    Args:
        now: microseconds since 1970-01-01Z.
        after: the last device name of the page before.
        limit: so many devices of each kind are looked at.
        within: only devices of these municipalities; None: of all.
    """
    active = await catalogue.active(connection, kinds)
    found: list[BlindRule] = []
    for name, kind in kinds.items():
        wanted = [r.definition for r in active.of_kind(name) if rule in (None, r.id)]
        if wanted:
            found += await _of_kind(connection, kind, wanted, now, device, after, limit, within)
    return sorted(found, key=lambda one: (one.device, one.rule))


async def _of_kind(
    connection: Connection,
    kind: Kind,
    wanted: Sequence[Definition],
    now: int,
    device: str | None,
    after: str | None,
    limit: int,
    within: Sequence[str] | None,
) -> list[BlindRule]:
    names = sorted(set().union(*(looked_at(d, kind) for d in wanted)))
    mask = sum(1 << kind.measurement(name).bit for name in names)
    rows = await connection.fetch(SUSPECTS, kind.name, names, mask, device, after, limit, within)
    missing = await _missing(connection, kind, names, rows, now)
    decided: dict[tuple[str, frozenset[str]], bool] = {}
    found = []
    for row in rows:
        lacks = missing[row["device_id"]]
        for definition in wanted if lacks else ():
            own = frozenset(lacks & looked_at(definition, kind))
            key = (definition.id, own)
            if own and key not in decided:
                decided[key] = is_blind(definition, kind, own)
            if own and decided[key]:
                found.append(_blind_rule(definition, kind, row, own, now))
    return found


async def _missing(
    connection: Connection, kind: Kind, names: Sequence[str], rows: Sequence[asyncpg.Record], now: int
) -> Mapping[int, set[str]]:
    """Return by device what it has not sent, or only suspect, for as long as makes a rule blind."""
    missing: dict[int, set[str]] = defaultdict(set)
    for name in names:
        bit = kind.measurement(name).bit
        asked = [r for r in rows if name not in r["told"] or (r["quality"] >> bit) & 1]
        if asked:
            query = LACKING.format(table=table_name(kind.name), measurement=name, bit=bit)
            ids, since = [r["device_id"] for r in asked], [_since(r, now) for r in asked]
            for row in await connection.fetch(query, ids, since):
                missing[row["device_id"]].add(name)
    return missing


def _since(row: asyncpg.Record, now: int) -> datetime:
    return to_datetime(now) - timedelta(seconds=max(LEAST_S, INTERVALS * row["interval_s"]))


def _blind_rule(
    definition: Definition, kind: Kind, row: asyncpg.Record, lacks: frozenset[str], now: int
) -> BlindRule:
    return BlindRule(
        rule=definition.id,
        device=row["device"],
        kind=kind.name,
        municipality=row["municipality"],
        missing=tuple(sorted(lacks)),
        since=_since(row, now),
    )


def warn_of_blind(definitions: Sequence[Definition], kinds: Mapping[str, Kind]) -> list[RuleWarning]:
    """Return a warning for each condition that one measurement of several leaves undecided for ever."""
    found: list[RuleWarning] = []
    for definition in definitions:
        kind = kinds.get(definition.kind or "")
        if kind is not None and definition.levels:
            found += [RuleWarning(rule=definition.id, message=said) for said in _warnings(definition, kind)]
    return found


def _warnings(definition: Definition, kind: Kind) -> list[str]:
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for blind in blind_conditions(definition, kind):
        lacking[blind.part, " ".join(blind.condition.split())].append(blind.measurement)
    return [
        f"{part}: never decided on a device that lacks {' or '.join(names)}: {condition};"
        " known(x, otherwise) says what holds then"
        for (part, condition), names in lacking.items()
    ]
