"""How fast something fills, and when it will be full: a robust rate since the last emptying.

Theil-Sen: the median of the slopes between all pairs of samples, which a third of wild values cannot move.
Waste that settles by a few points is noise to it; a fall of `emptied_by` that stays begins a new filling.
While the present filling is young, the rates of the last ones count beside it. State has a constant size
per device. Pure. Must not know the database or rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLOTS = 32
CYCLES = 4
SPACING_S = 1800
"""Between two samples; doubled each time the slots are full, so that they always span the whole filling."""
YOUNG_S = 86_400
"""Until a filling is a day old its rate has not seen every hour of a day."""
ENOUGH_S = 6 * 3600
"""A filling that is younger than that says nothing by itself."""
NEAREST = 5
"""Samples whose median, brought forward, is the level now."""
SLOW = 0.1
"""Slope that stands for the slowest fifth of fillings. Pairs overlap, so they scatter less than fillings do:
on simulated bins a day before they are full, this covers four in five."""
SLOWEST = 1.0 / 240
"""Rates in units per hour under which nothing fills: one point in ten days."""

STATE = np.dtype(
    [
        ("at", "<i8", (SLOTS,)),
        ("value", "<f4", (SLOTS,)),
        ("count", "<i4"),
        ("spacing_s", "<i4"),
        ("rates", "<f4", (CYCLES,)),
        ("recent", "<f4", (2,)),
        ("low_at", "<i8"),
        ("low", "<f4"),
        ("emptied_at", "<i8"),
    ]
)
"""One filling: samples (seconds, value), rates of earlier fillings (NaN: none), the last two values seen,
a fall that waits for its proof (low_at 0: none), and when it was emptied (0: not known)."""

State = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """When n devices reach a level, (n,) each; NaN where that cannot be told or will not happen.

    level, rate_per_h: now, and units per hour. hours_p50: as likely before as after. hours_p80: by then with
    four chances in five. samples: what the rate rests on.
    """

    level: Floats
    rate_per_h: Floats
    hours_p50: Floats
    hours_p80: Floats
    samples: Ints


def fresh(n: int) -> State:
    """Return the state of n devices nothing is known about."""
    state = np.zeros(n, dtype=STATE)
    state["spacing_s"] = SPACING_S
    state["rates"] = np.nan
    state["recent"] = np.nan
    return state


def fold(state: State, at: Ints, value: Floats, emptied_by: float, reaches: float) -> None:
    """Take in one value per device, in place.

    Args:
        state: (n,) of STATE.
        at: (n,) seconds since 1970-01-01Z, later than all before.
        value: (n,), NaN where a device has none.
        emptied_by: a fall that is an emptying.
        reaches: above that there is nothing more to forecast, and sensors saturate.
    """
    given = np.isfinite(value)
    # The lower one of the last two: one wild high value is no level to fall from.
    before = np.fmin(state["recent"][:, 0], state["recent"][:, 1])
    fell = given & (before - value >= emptied_by)
    proven = fell & (state["low_at"] > 0)
    supposed = fell & ~proven
    if proven.any():
        _begin_anew(state, proven)
    state["low_at"] = np.where(supposed, at, np.where(given, 0, state["low_at"]))
    state["low"] = np.where(supposed, value, state["low"])
    taken = given & ~supposed
    state["recent"][taken] = np.stack([state["recent"][taken, 1], value[taken]], axis=1)
    _append(state, np.flatnonzero(taken & (value < reaches)), at, value)


def _begin_anew(state: State, emptied: NDArray[np.bool_]) -> None:
    """Start a filling at the fall that has now been proven, and remember the rate of the one before."""
    rows = np.flatnonzero(emptied)
    rate, _ = _slopes(state[rows])
    long = _span_s(state[rows]) >= ENOUGH_S
    known = np.flatnonzero(np.isfinite(rate) & long & (rate > SLOWEST))
    kept = rows[known]
    state["rates"][kept] = np.concatenate([state["rates"][kept, 1:], rate[known, None]], axis=1)
    state["emptied_at"][rows] = state["low_at"][rows]
    state["at"][rows, 0] = state["low_at"][rows]
    state["value"][rows, 0] = state["low"][rows]
    state["count"][rows] = 1
    state["spacing_s"][rows] = SPACING_S
    state["recent"][rows] = state["low"][rows, None]


def _append(state: State, rows: Ints, at: Ints, value: Floats) -> None:
    count = state["count"][rows]
    last = state["at"][rows, np.maximum(count - 1, 0)]
    rows = rows[(count == 0) | (at[rows] - last >= state["spacing_s"][rows])]
    full = rows[state["count"][rows] == SLOTS]
    half = SLOTS // 2
    for name in ("at", "value"):
        state[name][full, :half] = state[name][full, ::2]
    state["count"][full] = half
    state["spacing_s"][full] *= 2
    place = state["count"][rows]
    state["at"][rows, place] = at[rows]
    state["value"][rows, place] = value[rows]
    state["count"][rows] += 1


def outlook(state: State, now: Ints, reaches: float) -> Outlook:
    """Return when each device reaches a level.

    Args:
        state: (n,) of STATE.
        now: (n,) seconds since 1970-01-01Z.
    """
    own, slow = _slopes(state)
    usual, usual_slow = _usual(state["rates"].astype(np.float64))
    age = np.clip(_span_s(state) / YOUNG_S, 0.0, 1.0)
    own = np.where(_span_s(state) >= ENOUGH_S, own, np.nan)
    rate, slow = _blend(own, usual, age), _blend(slow, usual_slow, age)
    rate = np.where(np.isfinite(own) | np.isfinite(usual), rate, np.nan)
    level = _level(state, now, np.where(rate > SLOWEST, rate, 0.0))
    left = np.maximum(reaches - level, 0.0)
    return Outlook(
        level=level,
        rate_per_h=rate,
        hours_p50=_hours(left, rate),
        hours_p80=_hours(left, np.minimum(slow, rate)),
        samples=state["count"].astype(np.int64),
    )


def due(looked_at: Ints, observed_at: Ints) -> NDArray[np.bool_]:
    """Tell which devices have a reading new enough to be looked at again, (n,) seconds each."""
    ready: NDArray[np.bool_] = observed_at >= looked_at + SPACING_S
    return ready


def is_soon(found: Outlook, reaches: float, within_s: float) -> NDArray[np.bool_]:
    """Tell who will be full within a time; what is full already is told by another rule."""
    soon: NDArray[np.bool_] = (found.hours_p50 * 3600.0 <= within_s) & (found.level < reaches)
    return soon


def is_far(found: Outlook, beyond_s: float) -> NDArray[np.bool_]:
    """Tell who will not be full before a time, or not at all."""
    return ~(found.hours_p50 * 3600.0 <= beyond_s)


def _hours(left: Floats, rate: Floats) -> Floats:
    fills = rate > SLOWEST
    return np.where(fills, left / np.where(fills, rate, 1.0), np.where(left > 0, np.nan, 0.0))


def _blend(own: Floats, usual: Floats, age: Floats) -> Floats:
    both = age * own + (1 - age) * usual
    return np.where(np.isnan(own), usual, np.where(np.isnan(usual), own, both))


def _usual(rates: Floats) -> tuple[Floats, Floats]:
    """Return the median and the lowest fifth of earlier rates, NaN where there are none."""
    ordered = np.sort(rates, axis=1)
    return _quantile(ordered, np.isfinite(rates).sum(axis=1), 0.5), _quantile(
        ordered, np.isfinite(rates).sum(axis=1), 0.2
    )


def _span_s(state: State) -> Ints:
    last = np.take_along_axis(state["at"], np.maximum(state["count"] - 1, 0)[:, None], axis=1)[:, 0]
    span: Ints = np.where(state["count"] > 0, last - state["at"][:, 0], 0)
    return span


_I, _J = np.triu_indices(SLOTS, k=1)


def _slopes(state: State) -> tuple[Floats, Floats]:
    """Return the median slope and one four in five fillings exceed, units per hour, of pairs far apart."""
    hours = (state["at"] - state["at"][:, :1]) / 3600.0
    value = state["value"].astype(np.float64)
    apart = hours[:, _J] - hours[:, _I]
    # Pairs close together tell noise; those a quarter of the filling apart tell its rate.
    far = np.maximum(_span_s(state) / 3600.0 / 4, 1.0)[:, None]
    used = (_J[None, :] < state["count"][:, None]) & (apart >= far)
    slope = np.where(used, (value[:, _J] - value[:, _I]) / np.where(used, apart, 1.0), np.nan)
    slope.sort(axis=1)
    n = used.sum(axis=1)
    return _quantile(slope, n, 0.5), _quantile(slope, n, SLOW)


def _quantile(ordered: Floats, n: Ints, q: float) -> Floats:
    """Return a quantile of the first n of each row, NaN where n is 0."""
    position = np.maximum(n - 1, 0) * q
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(n - 1, 0))
    part = position - low
    at_low = np.take_along_axis(ordered, low[:, None], axis=1)[:, 0]
    at_high = np.take_along_axis(ordered, high[:, None], axis=1)[:, 0]
    return np.where(n > 0, at_low + part * (at_high - at_low), np.nan)


def _level(state: State, now: Ints, rate: Floats) -> Floats:
    """Return the level now: the median of the newest samples, each brought forward at the rate."""
    places = state["count"][:, None] - 1 - np.arange(NEAREST)[None, :]
    there = places >= 0
    places = np.maximum(places, 0)
    at = np.take_along_axis(state["at"], places, axis=1)
    value = np.take_along_axis(state["value"], places, axis=1).astype(np.float64)
    forward = value + rate[:, None] * (now[:, None] - at) / 3600.0
    ordered = np.sort(np.where(there, forward, np.nan), axis=1)
    sampled = _quantile(ordered, there.sum(axis=1), 0.5)
    # Above the level no samples are taken: there the last two values say more.
    recent = state["recent"].astype(np.float64)
    seen = np.fmin(recent[:, 0], recent[:, 1])
    return np.fmax(sampled, np.where(np.isnan(seen), -np.inf, np.where(seen > sampled, seen, -np.inf)))
