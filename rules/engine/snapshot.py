"""A state that outlives its program: what checkpoints store, and what survives a change of rules.

Columns are addressed by rule id and version, not by position. Pure.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Severity
from rules.engine.state import RuleState, StateRows
from rules.language.program import Compiled

FORMAT = 2
_PLAIN = b"PK"
"""How a checkpoint begins that an earlier program did not compress."""

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


def identity(rule: Compiled) -> Identity:
    """Return what a rule's state belongs to."""
    severities = tuple(str(s) for s in rule.severities)
    histories = tuple((h.key, h.values, h.instants) for h in rule.histories)
    return rule.rule.id, rule.rule.version, severities, histories


def take(state: RuleState) -> Snapshot:
    """Return a copy of a state."""
    return Snapshot(
        rules=tuple(identity(rule) for rule in state.program.rules),
        devices=state.places.devices.copy(),
        rows=state.rows.take(np.arange(len(state.places))),
    )


def carry(snapshot: Snapshot, state: RuleState) -> None:
    """Copy into a state what belongs to the same rules and versions; watermarks only move on."""
    slots, program = state.slots_of(snapshot.devices), state.program
    rows, old = state.rows, snapshot.rows
    rows.watermark[slots] = np.maximum(rows.watermark[slots], old.watermark)
    places = _places(snapshot)
    for index, rule in enumerate(state.program.rules):
        place = places.get(identity(rule))
        if place is None:
            continue
        position, latches, values, instants = place
        mine = rule.latches
        for name in ("on", "count", "start", "due"):
            getattr(rows, name)[slots, mine] = getattr(old, name)[:, latches]
        rows.ended[slots, index] = old.ended[:, position]
        if rule.histories:
            own_values, own_instants = program.columns_of(rule)
            rows.value[slots, own_values] = old.value[:, values]
            rows.at[slots, own_instants] = old.at[:, instants]


def _places(snapshot: Snapshot) -> dict[Identity, tuple[int, slice, slice, slice]]:
    places: dict[Identity, tuple[int, slice, slice, slice]] = {}
    latch = value = instant = 0
    for position, rule in enumerate(snapshot.rules):
        latches = slice(latch, latch + len(rule[2]))
        values = slice(value, value + sum(v for _, v, _ in rule[3]))
        instants = slice(instant, instant + sum(a for _, _, a in rule[3]))
        latch, value, instant = latches.stop, values.stop, instants.stop
        places[rule] = (position, latches, values, instants)
    return places


def agree(state: RuleState, alerts: Iterable[OpenAlert]) -> None:
    """Make latches say what the open alerts say: the database is right about what is firing."""
    rules = {rule.rule.id: rule for rule in state.program.rules}
    known = [a for a in alerts if a.rule in rules]
    slots = state.slots_of(np.array([a.device_id for a in known], dtype=np.int32))
    on = np.zeros_like(state.rows.on)
    for alert, slot in zip(known, slots, strict=True):
        rule = rules[alert.rule]
        reached = [s.rank <= alert.severity.rank for s in rule.severities]
        # A new version may have fewer levels: an alert that is open stays at least at the lowest.
        on[slot, rule.latches] = [True, *reached[1:]]
    state.rows.count[on != state.rows.on] = 0
    state.rows.on[:] = on


def dump(snapshot: Snapshot) -> bytes:
    """Return a snapshot as bytes."""
    head = json.dumps({"format": FORMAT, "rules": snapshot.rules}).encode()
    arrays = {f.name: getattr(snapshot.rows, f.name) for f in fields(StateRows)}
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(head, dtype=np.uint8), devices=snapshot.devices, **arrays)
    # Most of a state is zeros: a tenth is left, sooner than the database would take all of it.
    return zlib.compress(out.getvalue(), 1)


def parse(data: bytes) -> Snapshot | None:
    """Return the snapshot in `data`; None when an earlier program wrote it in another format."""
    plain = data if data.startswith(_PLAIN) else zlib.decompress(data)
    with np.load(io.BytesIO(plain), allow_pickle=False) as arrays:
        head = json.loads(bytes(arrays["head"]))
        if head["format"] != FORMAT:
            return None
        return Snapshot(
            rules=tuple((i, v, tuple(s), tuple((k, n, a) for k, n, a in h)) for i, v, s, h in head["rules"]),
            devices=arrays["devices"],
            rows=StateRows(**{f.name: arrays[f.name] for f in fields(StateRows)}),
        )
