"""Everything the platform says about alerts, held against what may be: one beginning each, and one end.

Knows tables alert and transition, and nothing of who wrote them. `amiss` is pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from devices.instants import to_microseconds
from devices.kinds.kind import Kind
from devices.registry.registry import load
from readings import replay
from rules.catalogue import catalogue
from rules.trial.backtest import Backtest
from store.pool import connect

_STORY = """
SELECT
    a.id, a.rule, d.name AS device, a.state, a.opened_at, a.resolved_at,
    t.from_state, t.to_state, t.severity, t.observed_at
FROM alert AS a
INNER JOIN device AS d ON a.device_id = d.id
LEFT JOIN transition AS t ON a.id = t.alert_id
ORDER BY a.id, t.id
"""
_OF_READINGS = """
SELECT d.name, a.rule, t.from_state, t.to_state, t.severity, t.observed_at
FROM transition AS t
INNER JOIN alert AS a ON t.alert_id = a.id
INNER JOIN rule AS r ON a.rule = r.id AND a.rule_version = r.version
INNER JOIN device AS d ON a.device_id = d.id
WHERE r.family = 'stream'
ORDER BY d.name, a.rule, t.id
"""
_OPEN = """
SELECT a.rule, a.device_id, a.opened_at
FROM alert AS a
INNER JOIN rule AS r ON a.rule = r.id AND a.rule_version = r.version
WHERE a.state = 'firing' AND r.family = 'stream'
"""
_RECEIVED = "SELECT min(received_at) AS first, max(received_at) AS last FROM {kind}_reading"

BEGINNING, CHANGE, END = "beginning", "change", "end"
Row = tuple[Any, ...]
OpenAlert = tuple[str, int, int]
"""Rule, device id and opened_at in microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One alert with its transitions, oldest first: what each was, and when it was observed."""

    alert: int
    rule: str
    device: str
    state: str
    opened_at: datetime
    resolved_at: datetime | None
    transitions: Sequence[tuple[str, datetime]]


async def stories(dsn: str) -> list[Story]:
    """Return every alert by its id."""
    rows = await _fetch(dsn, _STORY)
    by_alert: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_alert[row["id"]].append(row)
    return [
        Story(
            alert=number,
            **{name: own[0][name] for name in ("rule", "device", "state", "opened_at", "resolved_at")},
            transitions=[(_what(row), row["observed_at"]) for row in own if row["to_state"]],
        )
        for number, own in by_alert.items()
    ]


def _what(row: Any) -> str:
    if row["to_state"] == "resolved":
        return END
    return CHANGE if row["from_state"] == "firing" else BEGINNING


def amiss(told: Sequence[Story]) -> list[str]:
    """Return what cannot be, a line each: twice begun, ended before it began, open beside another."""
    found = [f"{_named(story)}: {fault}" for story in told for fault in _faults(story)]
    by_key: dict[tuple[str, str], list[Story]] = defaultdict(list)
    for story in told:
        by_key[story.rule, story.device].append(story)
    for own in by_key.values():
        for before, after in pairwise(own):
            if before.resolved_at is None:
                found.append(f"{_named(after)}: opened while {before.alert} was open")
            elif after.opened_at < before.resolved_at:
                found.append(f"{_named(after)}: opened before {before.alert} ended")
    return found


def _faults(story: Story) -> list[str]:
    what = [name for name, _ in story.transitions]
    faults = []
    if what.count(BEGINNING) != 1:
        faults.append(f"{what.count(BEGINNING)} beginnings")
    elif what[0] != BEGINNING:
        faults.append("its beginning does not come first")
    if what.count(END) != (story.state == "resolved"):
        faults.append(f"{story.state} with {what.count(END)} ends")
    elif END in what and what[-1] != END:
        faults.append("something comes after its end")
    if what and story.transitions[0][1] != story.opened_at:
        faults.append("its beginning was at another time")
    if END in what and story.transitions[-1][1] != story.resolved_at:
        faults.append("its end was at another time")
    return faults


def _named(story: Story) -> str:
    return f"alert {story.alert} of {story.rule} on {story.device}"


async def of_readings(dsn: str) -> list[Row]:
    """Return every transition that readings caused, without what depends on when ingest ran."""
    return [tuple(row) for row in await _fetch(dsn, _OF_READINGS)]


async def open_alerts(dsn: str) -> set[OpenAlert]:
    """Return the open alerts that readings opened."""
    rows = await _fetch(dsn, _OPEN)
    return {(row["rule"], row["device_id"], to_microseconds(row["opened_at"])) for row in rows}


async def held_by_readings(dsn: str, kind: Kind) -> set[OpenAlert]:
    """Return which alerts would be open had the stored readings been evaluated in one go, without a kill."""
    connection = await connect(dsn)
    try:
        active = await catalogue.active(connection, {kind.name: kind})
        definitions = [rule.definition for rule in active.of_kind(kind.name)]
        trial = Backtest(kind, definitions, await load(connection))
        span = await connection.fetchrow(_RECEIVED.format(kind=kind.name))
        assert span is not None
        first, last = to_microseconds(span["first"]), to_microseconds(span["last"]) + 1
        for window in await replay.windows(connection, first, last):
            trial.feed(await replay.columns(connection, kind, window, measurements=trial.measurements))
    finally:
        await connection.close()
    return {
        (definition.id, episode.device_id, episode.opened_at)
        for definition in definitions
        for episode in trial.episodes(definition.id)
        if episode.ended_at is None
    }


async def _fetch(dsn: str, query: str) -> Sequence[Any]:
    connection = await connect(dsn)
    try:
        rows: Sequence[Any] = await connection.fetch(query)
    finally:
        await connection.close()
    return rows
