"""Why a rule fires on a device, or does not: the evaluator run over the device's history, and listened to.

Pure. The rule runs beside one probe for each of its terms, through the same step as live; what is said about
terms is what the evaluator computed. Must not know the database (rules.explaining).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.instants import to_datetime
from devices.kinds.kind import Kind, ValueType
from devices.registry import Registry
from rules import snapshot
from rules.context import Context
from rules.definition import Definition, Hold
from rules.evaluate import step
from rules.explanation import Explanation, Level, Missing, Reason, Standing, Term, Why, Worth
from rules.maintenance import Spans
from rules.past import PAST
from rules.program import Compiled, Rule
from rules.scope import Compute
from rules.snapshot import OpenAlert
from rules.state import NEVER, Rows
from rules.sun import HORIZON_DEG
from rules.terms import LEFT, RIGHT, Leaf, leaves, probe
from rules.transition import Severity
from rules.unit import NO_MAINTENANCE, build_unit

Worths = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of a device when the history begins.

    alerts: of the rule, firing then. watermark: the newest observed_at until then, None if none.
    """

    alerts: tuple[OpenAlert, ...] = ()
    watermark: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the database says about the device at the instant that is explained."""

    device_id: int
    device: str
    at: int
    alert: int | None = None
    inhibited_by: int | None = None
    severity: Severity | None = None
    opened_at: int | None = None
    silent_since: int | None = None


class _Heard:
    """Stands in for a compiled condition and keeps what it yields, and the values that it compared."""

    def __init__(self, compute: Compute, shown: dict[str, Any]) -> None:
        self._compute = compute
        self._shown = shown
        self.worth: NDArray[np.float64] = np.empty(0)
        self.values: dict[str, NDArray[Any]] = {}

    def __call__(self, context: Context) -> NDArray[Any]:
        self.worth = self._compute(context)
        self.values = {name: typed.compute(context) for name, typed in self._shown.items()}
        return self.worth


def explain(
    kind: Kind,
    rule: Rule,
    registry: Registry,
    columns: Columns,
    past: Past,
    present: Present,
    resting: Spans = NO_MAINTENANCE,
) -> Explanation:
    """Explain one stream rule on one device.

    Args:
        registry: holds at least the device and its municipality.
        columns: the device's readings in the order they arrived; empty if there are none.
        resting: maintenance windows; rules that rest do not look meanwhile.
    """
    parts = _parts(rule.definition)
    probes = [probe(leaf, rule.definition, f"term-{i}") for i, (_, leaf) in enumerate(parts)]
    rules = [rule, *(Rule(definition=p, version=0) for p in probes)]
    unit = build_unit(kind, rules, registry, resting)
    heard, program = [], unit.program
    compiled: list[Compiled] = []
    for number, one in enumerate(program.rules):
        ears = [_Heard(level, one.shown if number or not i else {}) for i, level in enumerate(one.levels)]
        gate = _Heard(one.gate, {}) if one.gate is not None else None
        compiled.append(replace(one, levels=tuple(ears), gate=gate))
        heard.append((ears, gate))
    listening = replace(program, rules=tuple(compiled))
    state = unit.state
    slot = state.slots_of(np.array([present.device_id], dtype=np.int32))
    state.rows.watermark[slot] = NEVER if past.watermark is None else past.watermark
    snapshot.agree(state, past.alerts)
    before = state.rows.take(slot).watermark[0]
    if len(columns):
        state.adopt(step(listening, state, columns, unit.attributes).changes)
    counted = _counted(columns, int(before))
    mine, gate = heard[0]
    row = int(counted[-1]) if len(counted) else None
    levels = _levels(rule.definition, listening.rules[0], mine, state.rows.take(slot), row)
    terms = tuple(
        _term(kind, columns, rule.definition, part, leaf, ears[0], counted)
        for (part, leaf), (ears, _) in zip(parts, heard[1:], strict=True)
        if row is not None
    )
    terms += _calendar(rule.definition, registry, present, columns, row)
    worth = _gate_worth(gate, row)
    if row is not None and _rests(rule.definition, resting, present, int(columns.observed_at[row])):
        terms += (_fixed("maintenance", "rest", False),)
        worth = Worth.FALSE
    return _explanation(rule, columns, present, levels, terms, worth, row)


def _parts(definition: Definition) -> list[tuple[str, Leaf]]:
    """Return every term with the part of the rule it stands in."""
    texts = [(f"levels.{s}", text) for s, text in sorted(definition.levels.items(), key=lambda e: e[0].rank)]
    if definition.clear:
        texts.append(("clear", definition.clear))
    gate = definition.when
    if gate is not None:
        texts += [("when", gate.condition)] if gate.condition else []
        sign = ">=" if gate.sun == "day" else "<"
        texts += [("when", f"sun() {sign} {HORIZON_DEG}")] if gate.sun else []
    return [(part, leaf) for part, text in texts for leaf in leaves(text)]


def _counted(columns: Columns, before: int) -> NDArray[np.intp]:
    """Return the rows that were not late."""
    newest = np.maximum.accumulate(np.concatenate([[before], columns.observed_at]))
    return np.flatnonzero(columns.observed_at > newest[:-1])


def _levels(
    definition: Definition, rule: Compiled, heard: list[_Heard], rows: Rows, row: int | None
) -> tuple[Level, ...]:
    levels = []
    for index, severity in enumerate(rule.severities):
        latch = rule.first_latch + index
        reached, count = bool(rows.on[0, latch]), int(rows.count[0, latch])
        hold = definition.keep_firing if reached else definition.hold
        start, due = int(rows.start[0, latch]), int(rows.due[0, latch])
        levels.append(
            Level(
                severity=severity,
                condition=rule.conditions[index],
                reached=reached,
                worth=Worth.UNDECIDED if row is None else _worth(heard[index].worth[row]),
                since=start if count else None,
                missing=_missing(hold, count, int(rows.watermark[0]) - start, due) if count else None,
            )
        )
    return tuple(levels)


def _missing(hold: Hold, count: int, lasted_us: int, due: int) -> Missing:
    return Missing(
        readings=max(hold.readings - count, 0),
        lasting_us=max(hold.lasting_us - lasted_us, 0),
        restarts_after=due,
    )


def _term(
    kind: Kind,
    columns: Columns,
    definition: Definition,
    part: str,
    leaf: Leaf,
    heard: _Heard,
    counted: NDArray[np.intp],
) -> Term:
    row = int(counted[-1])
    worths = np.nan_to_num(heard.worth[counted], nan=-1.0)
    changes = np.flatnonzero(worths[1:] != worths[:-1])
    first = counted[changes[-1] + 1] if len(changes) else counted[0]
    worth = _worth(heard.worth[row])
    limit = _plain(heard.values[RIGHT][row]) if RIGHT in heard.values else _written(leaf)
    return Term(
        part=part,
        text=leaf.text,
        value=_plain(heard.values[LEFT][row]) if LEFT in heard.values else None,
        limit=limit,
        worth=worth,
        since=int(columns.observed_at[first]),
        reasons=_reasons(kind, columns, row, definition, leaf) if worth is Worth.UNDECIDED else (),
    )


def _written(leaf: Leaf) -> float | str | None:
    """Return the plain value on the right of a term, None where nothing is compared."""
    if not leaf.fixed or leaf.right is None:
        return None
    try:
        return float(leaf.right)
    except ValueError:
        return leaf.right


def _reasons(
    kind: Kind, columns: Columns, row: int, definition: Definition, leaf: Leaf
) -> tuple[Reason, ...]:
    """Return what keeps a term from being decided on a reading."""
    found = [_unmeasured(kind, columns, row, n, definition) for n in sorted(_named(definition, leaf.text))]
    reasons = [reason for reason in found if reason is not None]
    if reasons:
        return tuple(reasons)
    if any(name in PAST for name in _named(definition, leaf.text)):
        return (Reason(why=Why.NO_PAST),)
    return (Reason(why=Why.NO_ATTRIBUTE if "attr(" in leaf.text else Why.NOT_A_NUMBER),)


def _named(definition: Definition, text: str) -> frozenset[str]:
    """Return the bare names an expression leads to, through `let` too."""
    names = Leaf(text=text, left=text).names
    inner = [_named(definition, definition.let[n]) for n in names if n in definition.let]
    return names.union(*inner)


def _unmeasured(kind: Kind, columns: Columns, row: int, name: str, definition: Definition) -> Reason | None:
    measurement = next((m for m in kind.measurements if m.name == name), None)
    if measurement is None:
        return None
    value = columns.values[name][row]
    if value is None if measurement.type is ValueType.TEXT else np.isnan(value):
        return Reason(why=Why.MISSING, name=name)
    marked = int(columns.quality[row]) >> measurement.bit & 1
    return Reason(why=Why.SUSPECT, name=name) if marked and not definition.use_suspect else None


def _calendar(
    definition: Definition, registry: Registry, present: Present, columns: Columns, row: int | None
) -> tuple[Term, ...]:
    """Return what clock and calendar say to the gate: what time it was where the device stands."""
    gate = definition.when
    if row is None or gate is None:
        return ()
    town = registry.municipalities[registry.devices[present.device_id].municipality]
    clock = to_datetime(int(columns.observed_at[row])).astimezone(ZoneInfo(town.time_zone))
    terms = []
    if gate.local_from_min is not None and gate.local_to_min is not None:
        minute, start, end = clock.hour * 60 + clock.minute, gate.local_from_min, gate.local_to_min
        inside = start <= minute < end if start <= end else minute >= start or minute < end
        terms.append(_fixed(f"local_time {_clock(start)}-{_clock(end)}", _clock(minute), inside))
    if gate.days is not None:
        rests = clock.isoweekday() in town.weekend
        today = "weekend" if rests else "workdays"
        terms.append(_fixed(f"days {gate.days}", today, rests == (gate.days == "weekend")))
    return tuple(terms)


def _rests(definition: Definition, resting: Spans, present: Present, observed_at: int) -> bool:
    """Tell whether a reading lies in a maintenance window that the rule respects."""
    if definition.when is not None and definition.when.maintenance == "look":
        return False
    return any(start <= observed_at < end for start, end in resting.get(present.device_id, ()))


def _fixed(text: str, value: str, holds: bool) -> Term:
    worth = Worth.TRUE if holds else Worth.FALSE
    return Term(part="when", text=text, value=value, limit=None, worth=worth, since=None)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _gate_worth(gate: _Heard | None, row: int | None) -> Worth:
    if gate is None or row is None:
        return Worth.TRUE
    return _worth(gate.worth[row])


def _explanation(
    rule: Rule,
    columns: Columns,
    present: Present,
    levels: tuple[Level, ...],
    terms: tuple[Term, ...],
    gate: Worth,
    row: int | None,
) -> Explanation:
    reached = [level for level in levels if level.reached]
    rising = [level for level in levels if not level.reached and level.since is not None]
    # The database is right about what is firing: it also knows what began before the history does.
    fires = present.alert is not None
    holds = fires or bool(reached)
    standing = Standing.INACTIVE
    if holds:
        standing = Standing.UNKNOWN if fires and present.silent_since is not None else Standing.FIRING
    elif rising:
        standing = Standing.PENDING
    ends = levels[0].missing if levels and levels[0].reached else None
    return Explanation(
        rule=rule.id,
        version=rule.version,
        device=present.device,
        at=present.at,
        standing=standing,
        severity=_severity(present, reached, rising),
        since=present.opened_at if fires else rising[0].since if rising and not reached else None,
        alert=present.alert,
        observed_at=None if row is None else int(columns.observed_at[row]),
        received_at=None if row is None else int(columns.received_at[row]),
        silent_since=present.silent_since,
        readings=len(columns),
        levels=levels,
        terms=terms,
        gate=gate,
        clear=rule.definition.clear or f"not ({levels[0].condition})",
        late_last=row is not None and row != len(columns) - 1,
        inhibited_by=present.inhibited_by,
        missing=rising[0].missing if rising else None,
        ends_missing=ends,
    )


def _severity(present: Present, reached: list[Level], rising: list[Level]) -> Severity | None:
    if present.alert is not None:
        return present.severity
    if reached:
        return reached[-1].severity
    return rising[0].severity if rising else None


def _worth(truth: float) -> Worth:
    if np.isnan(truth):
        return Worth.UNDECIDED
    return Worth.TRUE if truth else Worth.FALSE


def _plain(value: Any) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    return round(float(value), 6) if np.isfinite(value) else None
