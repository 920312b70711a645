"""Whether compiled functions of the past say and remember what the exact ones do, tried before they are used.

Pure. Random readings, so few that it takes no time; tests try many more. It is tried where they were
compiled, so that code that ends its process ends that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns, empty_values
from devices.compiled.part import Function
from devices.kinds.kind import INTERVAL, Kind, Measurement, Reporting
from rules.context import past
from rules.context.attributes import Facts, build
from rules.context.context import RuleContext
from rules.context.grouping import Grouping, group, late_rows
from rules.context.memory import slots
from rules.context.memory.bits import numbers_of
from rules.context.memory.pace import PaceRows, blank_pace
from rules.context.memory.view import HistoryView
from rules.context.patch import Patch
from rules.definition.definition import Hold, MaxGap

KIND = Kind(
    name="trial", title={}, headline="level",
    measurements=(Measurement(name="level", bit=8),), reporting=(Reporting(every_s=600),),
)  # fmt: skip
DEVICES, CELLS = 12, 80
MINUTE = 60_000_000
_BEGIN = 1_790_000_000_000_000
_SLOT = 40 * MINUTE
MEDIANS = slots.SlotPolicy(slot_us=_SLOT, levels=slots.LEVELS, conclude=slots.median, near_only=True)
SLOPES = slots.SlotPolicy(slot_us=_SLOT, levels=1, conclude=slots.slope(_SLOT), near_only=False)
GAPS = (MaxGap(), MaxGap(intervals=8.0), MaxGap(intervals=0.0, fixed_us=180 * MINUTE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Readings of one step, sorted by device: with numbers, truths, levels, and how they count themselves."""

    context: RuleContext
    grouping: Grouping
    late: NDArray[np.bool_]
    value: NDArray[np.float64]
    truth: NDArray[np.float64]
    level: NDArray[np.float64]
    boot: NDArray[np.int64]
    seq: NDArray[np.int64]


Call = Callable[[HistoryView, _Batch], Any]
CALLS: Mapping[str, Call] = {
    "last": lambda v, b: past.last(v, b.value),
    "held": lambda v, b: past.held(v, b.value),
    "total": lambda v, b: past.total(v, b.value, MINUTE),
    "3 readings": lambda v, b: past.of_readings(v, b.truth, 3),
    "16 readings": lambda v, b: past.of_readings(v, b.truth, 16),
    "within an hour": lambda v, b: past.within(v, b.truth, 60 * MINUTE),
    "within a day": lambda v, b: past.within(v, b.truth, 1440 * MINUTE),
    "flat": lambda v, b: past.flat(v, b.value, Hold(lasting_us=60 * MINUTE), 2.0),
    "flat for readings": lambda v, b: past.flat(v, b.value, Hold(readings=4), 1.0),
    "flat at a point": lambda v, b: past.flat(v, b.value, Hold(lasting_us=20 * MINUTE), 0.0),
    "flat around": lambda v, b: past.flat(v, b.value, Hold(lasting_us=60 * MINUTE), 3.0, 12.0),
    "interleaved": lambda v, b: past.interleaved(v, b.boot, b.seq),
    "medians": lambda v, b: past.in_slots(v, b.value, b.level, MEDIANS),
    "slopes": lambda v, b: past.in_slots(v, b.value, None, SLOPES),
}


def batches(random: np.random.Generator, many: int, rows: int) -> Iterator[_Batch]:
    """Yield readings of devices that go on from batch to batch: with gaps, repeats, missing and late ones."""
    own = {d: Facts(attributes={INTERVAL: 3600.0} if d % 3 == 0 else {}) for d in range(DEVICES)}
    attributes = build(own)
    newest = np.full(DEVICES, _BEGIN)
    before = np.zeros(DEVICES, dtype=np.int64)
    for _ in range(many):
        n = int(random.integers(1, rows + 1))
        device = random.integers(0, DEVICES, n)
        steps = random.choice(np.array([1, 10, 10, 10, 11, 25, 70, 400, 0, -5]), n) * MINUTE
        at = np.empty(n, dtype=np.int64)
        for row in range(n):
            newest[device[row]] += steps[row]
            at[row] = newest[device[row]]
        grouping = group(device.astype(np.intp))
        columns = Columns(
            kind=KIND, device_id=device.astype(np.int32), observed_at=at, received_at=at + 1,
            quality=np.zeros(n, dtype=np.int64), boot=_numbers(random, n, 3), seq=_numbers(random, n, 9),
            values=empty_values(KIND, n), extra=np.full(n, None, dtype=object),
            message=np.arange(n, dtype=np.int32),
        )  # fmt: skip
        context = RuleContext(columns, grouping.order, attributes)
        boot, seq = context.numbers()
        late = late_rows(grouping, context.observed_at, before[grouping.state_rows])
        yield _Batch(
            context=context, grouping=grouping, late=late,
            value=_missing(random, np.rint(random.normal(20, random.choice([0.3, 2, 9]), n)) / 2),
            truth=_missing(random, random.integers(0, 2, n).astype(np.float64)),
            level=_missing(random, random.uniform(-10, 120, n)), boot=boot, seq=seq,
        )  # fmt: skip
        np.maximum.at(before, device, at)


def _numbers(random: np.random.Generator, n: int, most: int) -> NDArray[np.int64]:
    return random.integers(-1, most, n)


def _missing(random: np.random.Generator, values: NDArray[np.float64]) -> NDArray[np.float64]:
    values[random.random(len(values)) < random.choice([0.0, 0.1, 0.9])] = np.nan
    return values


class _Memory:
    """What devices remember for one call, with or without compiled functions."""

    def __init__(self, functions: Mapping[str, Function], gap: MaxGap) -> None:
        self._functions, self._gap = functions, gap
        self.value = np.zeros((DEVICES, CELLS), dtype=np.int64, order="F")
        self.at = np.zeros((DEVICES, CELLS), dtype=np.int64, order="F")

    def say(self, call: Call, batch: _Batch) -> Any:
        """Return what a call says of every row, and remember."""
        patches: list[Patch] = []
        view = HistoryView(
            context=batch.context, grouping=batch.grouping, late=batch.late, gap=self._gap, values=self.value,
            instants=self.at, first_value=3, first_instant=5, patches=patches, functions=self._functions,
        )  # fmt: skip
        said = call(view, batch)
        for patch in patches:
            getattr(self, patch.name)[patch.state_rows, patch.columns] = patch.values
        return said

    def agrees(self, other: _Memory) -> bool:
        """Tell whether both remember the same."""
        mine, theirs = numbers_of(self.value), numbers_of(other.value)
        return np.array_equal(mine, theirs, equal_nan=True) and np.array_equal(self.at, other.at)


def differing(functions: Mapping[str, Function], seed: int, many: int = 6, rows: int = 80) -> list[str]:
    """Return what is not said or remembered as without compiled functions, over so many batches of rows."""
    found = []
    for name, call in CALLS.items():
        random = np.random.default_rng([seed, *name.encode()])
        gap = GAPS[int(random.integers(len(GAPS)))]
        mine, exact = _Memory(functions, gap), _Memory({}, gap)
        for batch in batches(random, many, rows):
            said, theirs = mine.say(call, batch), exact.say(call, batch)
            if not np.array_equal(said, theirs, equal_nan=True) or not mine.agrees(exact):
                found.append(name)
                break
    return found


def paces_differ(functions: Mapping[str, Function], seed: int, many: int = 20, rows: int = 80) -> bool:
    """Tell whether other paces are learned than without compiled functions, over so many batches of rows."""
    mine, exact = _blank_paces(), _blank_paces()
    for batch in batches(np.random.default_rng(seed), many, rows):
        context, grouping = batch.context, batch.grouping
        given = grouping, context.observed_at, context.declared_us(), ~context.has_interval(), batch.late
        learned = [past.learn(*given, mine, functions), past.learn(*given, exact, {})]
        for part in ("pace", "patience", "was_odd"):
            one, other = (getattr(each, part) for each in learned)
            if (one is None) != (other is None) or not np.array_equal(one, other):
                return True
        newest = np.maximum.reduceat(context.observed_at, grouping.first)
        for each, state in zip(learned, (mine, exact), strict=True):
            for patch in each.patches:
                where = patch.state_rows if patch.columns is None else (patch.state_rows, patch.columns)
                getattr(state, patch.name)[where] = patch.values
            state.watermark[grouping.state_rows] = np.maximum(state.watermark[grouping.state_rows], newest)
        if any(not np.array_equal(getattr(mine, f.name), getattr(exact, f.name)) for f in fields(PaceRows)):
            return True
    return False


def _blank_paces() -> PaceRows:
    return PaceRows(**{f.name: blank_pace(f.name, DEVICES) for f in fields(PaceRows)})


def agrees(functions: Mapping[str, Function]) -> bool:
    """Tell whether compiled functions say and remember the same as the exact ones."""
    return not any(differing(functions, seed) or paces_differ(functions, seed) for seed in range(10))
