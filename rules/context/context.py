"""Readings as conditions see them: sorted by device, each device's in the order they arrived.

Pure. Columns are gathered on first use and kept for the step, so rules share them. Must not know rules.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.columns import MISSING, Columns
from devices.kinds.kind import CLOCK_CORRECTED, CLOCK_UNSET, INTERVAL, UNCONFIRMED
from devices.reporting import expected_interval_s
from rules.context.attributes import Attributes
from rules.context.local_time import LocalTimes

REPLACED_BITS = 48
"""Above these bits of `boot` stands how many pieces of hardware stood there before."""
Floats = NDArray[np.float64]
Array = TypeVar("Array", bound=NDArray[Any])


class RuleContext:
    """n rows of one kind.

    order: (n,) row of `columns` for each row here. observed_at: (n,) microseconds. past(i): what
    the program's history i says about every row, see rules.engine.histories. pace: (n,) how many times
    its kind's interval each row's device takes, see rules.context.memory.pace; None where all keep it.
    shared: what histories share within a step.
    """

    def __init__(self, columns: Columns, order: NDArray[np.intp], attributes: Attributes) -> None:
        self.columns = columns
        self.order = order
        self.attributes = attributes
        self.observed_at: NDArray[np.int64] = columns.observed_at[order]
        self.received_at: NDArray[np.int64] = columns.received_at[order]
        self.device_id: NDArray[np.int32] = columns.device_id[order]
        self.facts = attributes.rows_of(self.device_id)
        self._local = LocalTimes(self.observed_at, attributes, self.facts)
        self.past: Callable[[int], Any] = _no_history
        self.pace: Floats | None = None
        self.shared: dict[Hashable, Any] = {}
        self._kept: dict[Hashable, NDArray[Any]] = {}
        self._numbers: dict[tuple[str, bool], dict[str | None, int]] = {}

    def __len__(self) -> int:
        return len(self.order)

    def of(self, columns: Columns) -> RuleContext:
        """Return the same rows with other values."""
        other = RuleContext(columns, self.order, self.attributes)
        other.past, other.pace = self.past, self.pace
        return other

    def close(self) -> None:
        """Break the reference cycle through `past`: else the arrays stay until the garbage collector runs."""
        self.past = _no_history

    def keep(self, key: Hashable, compute: Callable[[], Array]) -> Array:
        """Return the array kept under `key`, computing it the first time."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = compute()
        return found  # type: ignore[return-value]  # a key always names the same kind of array

    def number(self, name: str, use_suspect: bool = False) -> Floats:
        """Return a numeric or boolean measurement, NaN where it is missing or, unless wanted, marked."""
        return self.keep((name, use_suspect), lambda: self._number(name, use_suspect))

    def _number(self, name: str, use_suspect: bool) -> Floats:
        if not use_suspect:
            return self.columns.good(name)[self.order]
        values = self.measured(name)
        # What no second reading has confirmed opens nothing.
        unconfirmed = self._marked(name) & (self.columns.quality & UNCONFIRMED > 0)
        return (np.where(unconfirmed, np.nan, values) if unconfirmed.any() else values)[self.order]

    def _marked(self, name: str) -> NDArray[np.bool_]:
        bit = self.columns.kind.measurement(name).bit
        marked: NDArray[np.bool_] = (self.columns.quality >> bit) & 1 == 1
        return marked

    def measured(self, name: str) -> Floats:
        """Return a numeric measurement in the order of `columns`, marked or not; NaN where it is missing.

        It may be the column itself: do not write into it.
        """
        measurement = self.columns.kind.measurement(name)
        values: Floats = self.columns.values[name].astype(np.float64, copy=False)
        if not measurement.error_codes:
            return values
        # An error code is no value, not even a suspect one. Few values are marked.
        marked = self.keep("marked", lambda: np.flatnonzero(self.columns.quality))
        marked = marked[(self.columns.quality[marked] >> measurement.bit) & 1 == 1]
        code = marked[np.isin(values[marked], measurement.error_codes)]
        if len(code):
            values = values.copy()
            values[code] = np.nan
        return values

    def text(self, name: str, use_suspect: bool = False) -> NDArray[np.object_]:
        """Return a text measurement, None where it is missing or, unless wanted, marked."""
        return self.keep((name, use_suspect), lambda: self._text(name, use_suspect))

    def _text(self, name: str, use_suspect: bool) -> NDArray[np.object_]:
        values: NDArray[np.object_] = self.columns.values[name][self.order]
        marked = (self.columns.quality[self.order] >> self.columns.kind.measurement(name).bit) & 1 == 1
        if use_suspect or not marked.any():
            return values
        values[marked] = None
        return values

    def attribute(self, name: str) -> Floats:
        """Return a numeric or boolean attribute of each row's device, NaN where absent."""
        return self.keep(("attr", name), lambda: self.attributes.numbers[name][self.facts])

    def text_attribute(self, name: str, default: str | None) -> NDArray[np.object_]:
        """Return a text attribute of each row's device, a default or None where absent."""
        texts = self.attributes.texts[name] if default is None else self.attributes.texts_or(name, default)
        return self.keep(("attr", name, default), lambda: texts[self.facts])

    def coordinates(self) -> tuple[Floats, Floats]:
        """Return latitude and longitude of each row's device, or else of its municipality."""
        return self.attributes.lat[self.facts], self.attributes.lon[self.facts]

    def sun_deg(self) -> Floats:
        """Return the sun's elevation at the device's position, in degrees."""
        return self._local.sun_deg()

    def lag_s(self) -> Floats:
        """Return how long after it was observed each reading was received, in seconds."""
        return self.keep("lag", lambda: (self.received_at - self.observed_at).astype(np.float64) / 1e6)

    def clock_corrected(self) -> Floats:
        """Tell whether the device's clock was so wrong that its time was corrected."""
        marked = self.columns.quality[self.order] & CLOCK_CORRECTED > 0
        return self.keep("clock", lambda: marked.astype(np.float64))

    def clock_unset(self) -> Floats:
        """Tell whether the device sent the time of a clock that was never set."""
        marked = self.columns.quality[self.order] & CLOCK_UNSET > 0
        return self.keep("clock_unset", lambda: marked.astype(np.float64))

    def suspect(self, name: str) -> Floats:
        """Tell which values of a measurement are marked; NaN where there is none."""
        marked = self._marked(name)
        return self.keep(
            ("suspect", name), lambda: np.where(self.columns.absent(name), np.nan, marked)[self.order]
        )

    def empty(self) -> Floats:
        """Tell which readings hold no measurement at all."""
        return self.keep("empty", lambda: self.columns.empty().astype(np.float64)[self.order])

    def numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return `boot` and `seq` of each reading, MISSING where it has none.

        Other hardware at the same place counts its boots from elsewhere: it goes on where none was.
        """
        boot = self.columns.boot[self.order]
        replaced = self.attributes.replaced[self.facts]
        if replaced.any():
            boot = np.where(boot == MISSING, boot, boot + (replaced << REPLACED_BITS))
        return boot, self.columns.seq[self.order]

    def word_unknown(self) -> Floats:
        """Tell whether a text said none of its choices."""
        return self.keep("word_unknown", self._word_unknown)

    def _word_unknown(self) -> Floats:
        marked = np.zeros(len(self), dtype=np.bool_)
        for m in self.columns.kind.measurements:
            if m.choices:
                marked |= (self.columns.quality[self.order] >> m.bit) & 1 == 1
        return marked.astype(np.float64)

    def words_unknown(self) -> NDArray[np.object_]:
        """Return what was said that is none of the choices, and what they are; None where nothing was."""
        return self.keep("words_unknown", self._words_unknown)

    def _words_unknown(self) -> NDArray[np.object_]:
        found: NDArray[np.object_] = np.full(len(self), None, dtype=object)
        for row in np.flatnonzero(self.word_unknown()).tolist():
            place, marked = self.order[row], int(self.columns.quality[self.order[row]])
            found[row] = "; ".join(
                f'{m.name} "{self.columns.values[m.name][place]}" ({", ".join(m.choices)})'
                for m in self.columns.kind.measurements
                if m.choices and marked >> m.bit & 1
            )
        return found

    def local_min(self) -> NDArray[np.int64]:
        """Return minutes after midnight on the clock of the device's municipality."""
        return self._local.local_min()

    def weekend(self) -> NDArray[np.bool_]:
        """Tell whether it is a weekend day on the calendar of the device's municipality."""
        return self._local.weekend()

    def maintained(self) -> NDArray[np.bool_] | None:
        """Tell which readings lie in a maintenance window of their device, None when none does."""
        if self.attributes.windows is None:
            return None
        windows = self.attributes.windows
        return self.keep("maintained", lambda: windows.hold(self.facts, self.observed_at))

    def planned(self) -> NDArray[np.bool_] | None:
        """Tell which readings were received before their device was installed, None when none was."""
        planned = self.keep("planned", lambda: self.received_at < self.attributes.installed_at[self.facts])
        return planned if planned.any() else None

    def number_of(self, text: str, name: str, use_suspect: bool) -> int:
        """Return the number of a text in `numbered`, -2 when it does not occur."""
        self.numbered(name, use_suspect)
        return self._numbers[name, use_suspect].get(text, -2)

    def numbered(self, name: str, use_suspect: bool) -> NDArray[np.int64]:
        """Return a text measurement as numbers, equal ones for equal texts, -1 where it is missing."""
        return self.keep(("numbered", name, use_suspect), lambda: self._number_texts(name, use_suspect))

    def says(self, name: str, texts: Iterable[str], use_suspect: bool) -> NDArray[np.bool_]:
        """Tell which rows of a text measurement are one of some texts."""
        numbers, found = self.numbered(name, use_suspect), np.zeros(len(self), dtype=np.bool_)
        for text in texts:
            found |= numbers == self.number_of(text, name, use_suspect)
        return found

    def _number_texts(self, name: str, use_suspect: bool) -> NDArray[np.int64]:
        numbers = _Numbers({None: -1})
        texts = self.text(name, use_suspect).tolist()
        found = np.fromiter(map(numbers.__getitem__, texts), dtype=np.int64, count=len(texts))
        self._numbers[name, use_suspect] = numbers
        return found

    def interval_us(self) -> NDArray[np.int64]:
        """Return how soon after each row the next is expected: by the device's own interval, or its pace."""
        return self.keep("interval", self._interval_us)

    def _interval_us(self) -> NDArray[np.int64]:
        if self.pace is None:
            return self.declared_us()
        paced = (self.declared_us() * self.pace).astype(np.int64)
        return np.where(self.has_interval(), self.declared_us(), paced)

    def has_interval(self) -> NDArray[np.bool_]:
        """Tell which rows' devices have an interval of their own."""
        own: NDArray[np.bool_] = self.attribute(INTERVAL) > 0
        return own

    def declared_us(self) -> NDArray[np.int64]:
        """Return the device's own interval, or else what its kind declares for its state."""
        return self.keep("declared", self._declared_us)

    def _declared_us(self) -> NDArray[np.int64]:
        own = self.attribute(INTERVAL)
        return np.where(own > 0, np.nan_to_num(own) * 1e6, self.usual_us()).astype(np.int64)

    def usual_us(self) -> NDArray[np.int64]:
        """Return what its kind declares for the state each row is in, whatever the device itself does."""
        return self.keep("usual", self._usual_us)

    def _usual_us(self) -> NDArray[np.int64]:
        kind = self.columns.kind
        compared = {r.measurement for r in kind.reporting if r.at_least is not None}
        values = {name: self.columns.values[name][self.order] for name in compared if name is not None}
        seconds = expected_interval_s(
            kind, values, np.full(len(self), np.nan), says=self._says, attribute=self.attribute
        )
        return (seconds * 1e6).astype(np.int64)

    def _says(self, name: str, texts: Sequence[str]) -> NDArray[np.bool_]:
        return self.says(name, texts, use_suspect=True)


class _Numbers(dict[str | None, int]):
    """Numbers of texts: one that is asked for the first time gets the next."""

    def __missing__(self, text: str | None) -> int:
        number = self[text] = len(self)
        return number


def _no_history(index: int) -> Any:
    raise LookupError(f"no history {index} outside a step")
