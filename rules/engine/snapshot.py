"""A copy of a state apart from its program: what checkpoints store, and what survives a change of rules.

Columns are addressed by rule id and version, not by position. Pure.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Collection, Iterable
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
_NUMBERS = 2
"""An earlier format, with numbers where bits are now, and the smallest integer for no instant."""
_PLAIN = b"PK"
"""First bytes of a checkpoint that an earlier version of Nabd wrote without compression."""

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
    state_rows, program = state.rows_of(snapshot.devices), state.program
    rows, old = state.rows, snapshot.rows
    rows.watermark[state_rows] = np.maximum(rows.watermark[state_rows], old.watermark)
    every = slice(None)
    for f in fields(PaceRows):
        if f.name != "watermark":
            _put(rows, f.name, state_rows, every, getattr(old, f.name))
    if snapshot.rules == identities(program):
        for name in ("on", "count", "start", "due", "ended", "value", "at"):
            _put(rows, name, state_rows, every, getattr(old, name))
        return
    old_columns = _columns(snapshot)
    if program.shared and (found := old_columns.get(_shared(program))) is not None:
        # They come first in both.
        _put(rows, "value", state_rows, found[2], old.value[:, found[2]])
        _put(rows, "at", state_rows, found[3], old.at[:, found[3]])
    for index, rule in enumerate(state.program.rules):
        found = old_columns.get(identity(rule))
        if found is None:
            continue
        old_index, levels, values, instants = found
        for name in ("on", "count", "start", "due"):
            _put(rows, name, state_rows, rule.level_columns, getattr(old, name)[:, levels])
        put(rows.ended[:, index], state_rows, old.ended[:, old_index])
        if rule.histories:
            own_values, own_instants = program.columns_of(rule)
            _put(rows, "value", state_rows, own_values, old.value[:, values])
            _put(rows, "at", state_rows, own_instants, old.at[:, instants])


def _put(
    rows: StateRows, name: str, state_rows: NDArray[np.intp], columns: slice, values: NDArray[Any]
) -> None:
    array = getattr(rows, name)
    if array.ndim == 1:
        put(array, state_rows, values)
        return
    for column, of in zip(array.T[columns], values.T, strict=True):
        put(column, state_rows, of)


def knowing(state: RuleState, known: Collection[Identity]) -> RuleState:
    """Return a state in which all rules but those known are as if nothing had been read yet."""
    past = take(state)
    rules = tuple(one if one in known else ("", -1, *one[2:]) for one in past.rules)
    found = RuleState(state.program, len(state.index))
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
    """Return a snapshot as bytes."""
    head = json.dumps({"format": FORMAT, "rules": snapshot.rules}).encode()
    arrays = {f.name: getattr(snapshot.rows, f.name) for f in fields(StateRows)}
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(head, dtype=np.uint8), devices=snapshot.devices, **arrays)
    # Most of a state is zeros: a tenth is left, in less time than sending all of it to the database takes.
    return zlib.compress(out.getvalue(), 1)


def parse(data: bytes) -> Snapshot | None:
    """Return the snapshot in `data`; None when an earlier version of Nabd wrote it in another format."""
    plain = data if data.startswith(_PLAIN) else zlib.decompress(data)
    with np.load(io.BytesIO(plain), allow_pickle=False) as arrays:
        head = json.loads(bytes(arrays["head"]))
        if head["format"] not in (FORMAT, _NUMBERS):
            return None
        rows = {
            f.name: arrays[f.name] if f.name in arrays else blank_pace(f.name, len(arrays["devices"]))
            for f in fields(StateRows)
        }
        if head["format"] == _NUMBERS:
            rows["value"] = bits_of(rows["value"])
            rows["watermark"], rows["ended"] = (np.maximum(rows[name], 0) for name in ("watermark", "ended"))
        return Snapshot(
            rules=tuple((i, v, tuple(s), tuple((k, n, a) for k, n, a in h)) for i, v, s, h in head["rules"]),
            devices=arrays["devices"],
            rows=StateRows(**rows),
        )
