"""A copy of a state apart from its program: what checkpoints store, and what survives a change of rules.

Columns are addressed by rule id and version, not by position. Pure.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Severity
from rules.context.memory.bits import bits_of
from rules.context.memory.pace import PaceRows, blank_pace
from rules.engine.state import RuleState, StateRows, put
from rules.language.program import CompiledRule, Program

FORMAT = 3
_OF_ARCHIVES = 2
"""The format before, with numbers where bits are now, and the smallest integer for no instant."""
_ARCHIVE = b"PK"
"""First bytes of an archive."""
_AT_ONCE = 65_536
"""Devices that are copied at once."""
_ONE_COLUMN = {f.name for f in fields(PaceRows)} - {"gap"}

Identity = tuple[str, int, tuple[str, ...], tuple[tuple[str, int, int], ...]]
"""Rule, version, severities, histories with their sizes: state fits only where all are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Rows of a state with the rules they belong to, in the order of their columns."""

    rules: tuple[Identity, ...]
    devices: NDArray[np.int32]
    rows: StateRows


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An alert that fires, as the database knows it."""

    rule: str
    device_id: int
    severity: Severity


def identity(rule: CompiledRule) -> Identity:
    """Return what a rule's state belongs to."""
    severities = tuple(str(s) for s in rule.severities)
    histories = tuple((h.key, h.values, h.instants) for h in rule.histories)
    return rule.rule.id, rule.rule.version, severities, histories


def _shared(program: Program) -> Identity:
    """Return what the state that rules share belongs to: no rule, no level."""
    return "", 0, (), tuple((h.key, h.values, h.instants) for h in program.shared)


def identities(program: Program) -> tuple[Identity, ...]:
    """Return what a state of these rules belongs to, in the order of its columns."""
    return _shared(program), *(identity(rule) for rule in program.rules)


def take(state: RuleState, state_rows: NDArray[np.intp] | None = None) -> Snapshot:
    """Return a copy of a state, or of some of its rows."""
    if state_rows is None:
        state_rows = np.arange(len(state.index))
    return Snapshot(
        rules=identities(state.program),
        devices=state.index.devices[state_rows],
        rows=state.rows.take(state_rows),
    )


def carry(snapshot: Snapshot, state: RuleState) -> None:
    """Copy into a state what belongs to the same rules and versions; watermarks only move on."""
    known = len(state.index)
    state_rows, program = state.rows_of(snapshot.devices), state.program
    blank = bool((state_rows >= known).all())
    rows, old = state.rows, snapshot.rows
    rows.watermark[state_rows] = np.maximum(rows.watermark[state_rows], old.watermark)
    every = slice(None)
    for f in fields(PaceRows):
        if f.name != "watermark":
            _put(rows, f.name, state_rows, every, getattr(old, f.name), blank)
    if snapshot.rules == identities(program):
        for name in ("on", "count", "start", "due", "ended", "value", "at"):
            _put(rows, name, state_rows, every, getattr(old, name), blank)
        return
    old_columns = _columns(snapshot)
    if program.shared and (found := old_columns.get(_shared(program))) is not None:
        # They come first in both.
        _put(rows, "value", state_rows, found[2], old.value[:, found[2]], blank)
        _put(rows, "at", state_rows, found[3], old.at[:, found[3]], blank)
    for index, rule in enumerate(state.program.rules):
        found = old_columns.get(identity(rule))
        if found is None:
            continue
        old_index, levels, values, instants = found
        for name in ("on", "count", "start", "due"):
            _put(rows, name, state_rows, rule.level_columns, getattr(old, name)[:, levels], blank)
        put(rows.ended[:, index], state_rows, old.ended[:, old_index])
        if rule.histories:
            own_values, own_instants = program.columns_of(rule)
            _put(rows, "value", state_rows, own_values, old.value[:, values], blank)
            _put(rows, "at", state_rows, own_instants, old.at[:, instants], blank)


def _put(
    rows: StateRows,
    name: str,
    state_rows: NDArray[np.intp],
    columns: slice,
    values: NDArray[Any],
    blank: bool,
) -> None:
    """Write some columns of some rows, which may be known to be all 0."""
    array, given = np.atleast_2d(getattr(rows, name).T)[columns], np.atleast_2d(values.T)
    for number in np.flatnonzero(given.any(axis=1)) if blank else range(len(array)):
        put(array[number], state_rows, given[number])


def carry_all(before: RuleState, after: RuleState) -> None:
    """Copy into a state what belongs to the same rules and versions in all of another."""
    for past in _in_parts(before):
        carry(past, after)


def _in_parts(state: RuleState) -> Iterator[Snapshot]:
    # A copy takes memory for every column of its devices.
    for begin in range(0, len(state.index), _AT_ONCE):
        yield take(state, np.arange(begin, min(begin + _AT_ONCE, len(state.index))))


def knowing(state: RuleState, known: Collection[Identity]) -> RuleState:
    """Return a state in which all rules but those known are as if nothing had been read yet."""
    rules = tuple(one if one in known else ("", -1, *one[2:]) for one in identities(state.program))
    found = RuleState(state.program, len(state.index))
    for past in _in_parts(state):
        carry(replace(past, rules=rules), found)
    return found


def _columns(snapshot: Snapshot) -> dict[Identity, tuple[int, slice, slice, slice]]:
    """Return of each rule its number in the snapshot, and its columns of levels, values and instants."""
    columns: dict[Identity, tuple[int, slice, slice, slice]] = {}
    index = level = value = instant = 0
    for rule in snapshot.rules:
        levels = slice(level, level + len(rule[2]))
        values = slice(value, value + sum(v for _, v, _ in rule[3]))
        instants = slice(instant, instant + sum(a for _, _, a in rule[3]))
        level, value, instant = levels.stop, values.stop, instants.stop
        columns[rule] = (index, levels, values, instants)
        # What rules share has no level, and no end of an alert of its own.
        index += bool(rule[2])
    return columns


def agree(state: RuleState, alerts: Iterable[OpenAlert]) -> None:
    """Set levels to what the open alerts say: the database is right about what is firing."""
    rules = {rule.rule.id: rule for rule in state.program.rules}
    known = [a for a in alerts if a.rule in rules]
    state_rows = state.rows_of(np.array([a.device_id for a in known], dtype=np.int32))
    size = len(state.index)
    on = np.zeros_like(state.rows.on[:size])
    for alert, row in zip(known, state_rows, strict=True):
        rule = rules[alert.rule]
        reached = [s.rank <= alert.severity.rank for s in rule.severities]
        # A new version may have fewer levels: an alert that is open stays at least at the lowest.
        on[row, rule.level_columns] = [True, *reached[1:]]
    changed = on != state.rows.on[:size]
    state.rows.count[:size][changed] = 0
    state.rows.on[:size][changed] = on[changed]


def dump(snapshot: Snapshot) -> bytes:
    """Return a snapshot as bytes: what is in it as JSON, one line, then the columns that are not all 0."""
    arrays = {f.name: np.atleast_2d(getattr(snapshot.rows, f.name).T) for f in fields(StateRows)}
    used = {name: np.flatnonzero(columns.any(axis=1)) for name, columns in arrays.items()}
    head = {
        "format": FORMAT,
        "rules": snapshot.rules,
        "devices": len(snapshot.devices),
        "columns": {name: (columns.dtype.str, len(columns)) for name, columns in arrays.items()},
        "used": {name: numbers.tolist() for name, numbers in used.items()},
    }
    parts = [json.dumps(head).encode(), b"\n", snapshot.devices.tobytes()]
    # A tenth is left of it, in less time than sending all of it to the database takes.
    return zlib.compress(b"".join([*parts, *(arrays[name][used[name]].tobytes() for name in arrays)]), 1)


def parse(data: bytes) -> Snapshot | None:
    """Return the snapshot in `data`; None when it is of a format that this version does not read."""
    plain = data if data.startswith(_ARCHIVE) else zlib.decompress(data)
    if plain.startswith(_ARCHIVE):
        return _of_archive(plain)
    begin = plain.index(b"\n") + 1
    head = json.loads(plain[:begin])
    if head["format"] != FORMAT:
        return None
    many = head["devices"]
    devices = np.frombuffer(plain, dtype=np.int32, count=many, offset=begin)
    begin, rows = begin + devices.nbytes, {}
    for name, (dtype, width) in head["columns"].items():
        used = head["used"][name]
        found = np.frombuffer(plain, dtype=dtype, count=len(used) * many, offset=begin)
        columns = np.zeros((width, many), dtype=dtype)
        columns[used] = found.reshape(len(used), many)
        rows[name] = columns[0] if name in _ONE_COLUMN else columns.T
        begin += found.nbytes
    return Snapshot(rules=_rules(head), devices=devices, rows=StateRows(**rows))


def _of_archive(data: bytes) -> Snapshot | None:
    """Return a snapshot of the format before this one, an archive of whole arrays."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        head = json.loads(bytes(arrays["head"]))
        if head["format"] != _OF_ARCHIVES:
            return None
        devices = arrays["devices"]
        rows = {
            f.name: arrays[f.name] if f.name in arrays else blank_pace(f.name, len(devices))
            for f in fields(StateRows)
        }
    rows["value"] = bits_of(rows["value"])
    rows["watermark"], rows["ended"] = (np.maximum(rows[name], 0) for name in ("watermark", "ended"))
    return Snapshot(rules=_rules(head), devices=devices, rows=StateRows(**rows))


def _rules(head: Mapping[str, Any]) -> tuple[Identity, ...]:
    return tuple((i, v, tuple(s), tuple((k, n, a) for k, n, a in h)) for i, v, s, h in head["rules"])
