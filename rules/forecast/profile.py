"""How fast something fills, by hour of the day and day of the week.

Learnt from what comes in, whether or not it is emptied meanwhile: rises and settlings between samples are
added up by hour of the day and day of the week, and fade; falls that are emptyings, and leaps that no hand
makes, are left out. A single wild value moves nothing, nor do days without use. State has a constant size per
device. Pure. Must not know the database, rules, or what is made of it (rules.forecast.prediction).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPACING_S = 1800
"""Between two samples."""
ENOUGH_H = 20.0
"""What was not seen for most of a day tells nothing: nights are not like days."""
MEMORY_H = 12 * 24.0
"""After so long a sample counts for a third. More than a week: no hour is to remember its last day alone."""
LEAP = 2.0
"""A rise of so many emptyings at once is a sensor that was blind or a bin that lay on its side; of more
where samples are farther apart than SHARED_H."""
SETTLES = 0.5
"""A fall by such a share of what was in it is an emptying."""
LONGEST_H = 36.0
"""Between samples farther apart too much may have happened. Longer than a day: some report once a day."""
SHARED_H = 2.0
"""Between samples farther apart than this nobody knows at which hour it came."""
PRIOR_H = 1.0
"""Each hour of the day counts as seen for so long at the mean rate."""
SATURATES = 1.1
"""So far above the level that matters sensors still tell what comes in."""
LATELY_H = 12.0
IDLE = 0.25
IDLE_UNITS = 6.0
IDLE_AT_MOST_H = 10 * 24.0
"""When less than a quarter of what is usual came in lately, and so much would be usual, nothing is learnt
from it, for ten days at most."""
WEEK_PRIOR_H = 24.0
"""Each day of the week counts as seen for a day on which the usual came in."""
WEEK_MEMORY_H = 5 * 7 * 24.0
MUCH = 2.5
"""When so many times the usual came in lately, the usual was wrong: its sensor had been blind."""
HOURS, WEEK = 24, 168

STATE = np.dtype(
    [
        ("at", "<i8"),
        ("level", "<f4"),
        ("maybe_at", "<i8"),
        ("maybe", "<f4"),
        ("gained", "<f4", (HOURS,)),
        ("passed_h", "<f4", (HOURS,)),
        ("day_gained", "<f4", (7,)),
        ("day_usual", "<f4", (7,)),
        ("variance", "<f4"),
        ("lately", "<f4"),
        ("lately_usual", "<f4"),
        ("idle_h", "<f4"),
        ("samples", "<i4"),
        ("emptied_at", "<i8"),
    ]
)
"""at, level: the newest sample (s, 0: none). maybe_at, maybe: a jump that waits for its proof (0: none).
gained, passed_h: by hour of the day (UTC) what came in and in how much time, fading. day_gained, day_usual:
by day of the week (Thursday first) what came in, and what would have on any day. variance: of what comes in
an hour. lately, lately_usual: what came in and what usually does; idle_h: for how long next to nothing has.
emptied_at: s, 0: not known."""


def fresh(n: int) -> NDArray[np.void]:
    """Return the state of n devices nothing is known about."""
    state = np.zeros(n, dtype=STATE)
    state["level"] = np.nan
    return state


def fold(state: NDArray[np.void], at: Ints, value: Floats, emptied_by: float, reaches: float) -> None:
    """Take in one value per device, in place.

    Args:
        state: (n,) of STATE.
        at: (n,) seconds since 1970-01-01Z, later than all before.
        value: (n,), NaN where a device has none.
        emptied_by: a fall that is an emptying, however much was in it.
        reaches: above that there is nothing more to forecast, and sensors saturate.
    """
    given = np.isfinite(value)
    first = given & (state["at"] == 0)
    since_level, since_maybe = (at - state["at"]) / 3600.0, (at - state["maybe_at"]) / 3600.0
    fits = given & ~first & _is_step(state["level"], value, emptied_by, since_level)
    # One wild value is no jump: the next must say the same.
    again = _is_step(state["maybe"], value, emptied_by, since_maybe)
    proven = given & ~first & ~fits & (state["maybe_at"] > 0) & again
    supposed = given & ~first & ~fits & ~proven
    emptied = proven & (state["maybe"] < state["level"])
    state["emptied_at"] = np.where(emptied, state["maybe_at"], state["emptied_at"])
    before = np.where(proven, state["maybe"], state["level"]).astype(np.float64)
    hours = np.where(proven, since_maybe, since_level)
    told = (fits | proven) & (before < reaches * SATURATES) & (hours > 0) & (hours < LONGEST_H)
    _learn(state, np.flatnonzero(told), at, value - before, hours)
    taken = first | fits | proven
    state["maybe_at"] = np.where(supposed, at, np.where(taken, 0, state["maybe_at"]))
    state["maybe"] = np.where(supposed, value, state["maybe"])
    state["level"] = np.where(taken, value, state["level"])
    state["at"] = np.where(taken, at, state["at"])
    state["samples"] += taken


def _is_step(before: Floats, value: Floats, emptied_by: float, hours: Floats) -> NDArray[np.bool_]:
    """Tell what may have come in, or settled, between two samples.

    Waste does not settle by half: what is emptied while there is little in it falls by little.
    """
    came = value - before
    settles = np.clip(before * SETTLES, emptied_by / 4, emptied_by)
    step: NDArray[np.bool_] = (came > -settles) & (
        came < LEAP * emptied_by * np.maximum(1.0, hours / SHARED_H)
    )
    return step


def _learn(state: NDArray[np.void], rows: Ints, at: Ints, came: Floats, hours: Floats) -> None:
    """Add what came in to the hour of the day in which it came."""
    came, hours = came[rows], hours[rows]
    hour = ((at[rows] - hours * 1800.0) // 3600 % HOURS).astype(np.int64)
    expected = _expected(state[rows], hour) * hours
    rows, came, hours, hour, expected = _unless_unused(state, rows, came, hours, hour, expected)
    keeps = np.exp(-hours / MEMORY_H)
    surprise = (came - np.where(np.isnan(expected), came, expected)) ** 2 / hours
    state["variance"][rows] = keeps * state["variance"][rows] + (1 - keeps) * surprise
    state["gained"][rows] *= keeps[:, None]
    state["passed_h"][rows] *= keeps[:, None]
    _learn_day(state, rows, at, came, hours, expected)
    share = np.zeros((len(rows), HOURS))
    share[np.arange(len(rows)), hour] = 1.0
    share = np.where(hours[:, None] > SHARED_H, 1.0 / HOURS, share)
    state["gained"][rows] += share * came[:, None]
    state["passed_h"][rows] += share * hours[:, None]


def _learn_day(
    state: NDArray[np.void], rows: Ints, at: Ints, came: Floats, hours: Floats, expected: Floats
) -> None:
    """Compare what came in with what usually does, by day of the week."""
    known = np.isfinite(expected) & (hours <= SHARED_H)
    rows, came, hours, expected = rows[known], came[known], hours[known], expected[known]
    fades = np.exp(-hours / WEEK_MEMORY_H)[:, None]
    day = ((at[rows] - hours * 1800.0) // 86_400 % 7).astype(np.int64)
    for name, value in (("day_gained", came), ("day_usual", expected)):
        state[name][rows] *= fades
        state[name][rows, day] += value


def _expected(state: NDArray[np.void], hour: Ints) -> Floats:
    """Return what usually comes in at an hour of the day, units per hour; NaN while unknown."""
    overall = mean_rate(state)
    expected: Floats = by_hour(state, overall)[np.arange(len(state)), hour]
    return np.where(state["passed_h"].sum(axis=1) >= ENOUGH_H, expected, np.nan)


def _unless_unused(
    state: NDArray[np.void], rows: Ints, came: Floats, hours: Floats, hour: Ints, expected: Floats
) -> tuple[Ints, Floats, Floats, Ints, Floats]:
    """Return the samples to learn from: none while next to nothing comes in, unless that goes on for days.

    A bin that lies on its side, stands unused or has a sensor that froze will fill as before.
    """
    known = np.isfinite(expected)
    keeps = np.exp(-hours / LATELY_H)
    lately, usual = state["lately"][rows], state["lately_usual"][rows]
    lately = np.where(known, keeps * lately + came, 0.0)
    usual = np.where(known, keeps * usual + np.where(known, expected, 0.0), 0.0)
    state["lately"][rows], state["lately_usual"][rows] = lately, usual
    _forget(state, rows[known & (lately >= IDLE_UNITS) & (lately > MUCH * usual)])
    was = state["idle_h"][rows] > 0
    idle = known & (usual >= IDLE_UNITS) & (lately < np.where(was, 2.0, 1.0) * IDLE * usual)
    _make_up_for(state, rows[idle & ~was], (usual - lately)[idle & ~was])
    state["idle_h"][rows] = np.where(idle, state["idle_h"][rows] + hours, 0.0)
    learns = ~idle | (state["idle_h"][rows] > IDLE_AT_MOST_H)
    return rows[learns], came[learns], hours[learns], hour[learns], expected[learns]


def _forget(state: NDArray[np.void], rows: Ints) -> None:
    """Begin to learn anew."""
    for name in ("gained", "passed_h", "lately", "lately_usual", "day_gained", "day_usual"):
        state[name][rows] = 0.0


def _make_up_for(state: NDArray[np.void], rows: Ints, missed: Floats) -> None:
    """Add what did not come in before it was clear that nothing would."""
    gained = state["gained"][rows].sum(axis=1, dtype=np.float64)
    state["gained"][rows] *= (1.0 + missed / np.maximum(gained, missed))[:, None]


def due(looked_at: Ints, observed_at: Ints) -> NDArray[np.bool_]:
    """Tell which devices have a reading new enough to be looked at again, (n,) seconds each."""
    ready: NDArray[np.bool_] = observed_at >= looked_at + SPACING_S
    return ready


def mean_rate(state: NDArray[np.void]) -> Floats:
    """Return the mean of a day, units per hour, each hour known as well as the others; NaN while unknown."""
    passed = state["passed_h"].sum(axis=1, dtype=np.float64)
    gained = state["gained"].sum(axis=1, dtype=np.float64)
    overall = np.where(passed > 0, gained / np.where(passed > 0, passed, 1.0), np.nan)
    mean: Floats = by_hour(state, overall).mean(axis=1)
    return mean


def by_hour(state: NDArray[np.void], mean: Floats) -> Floats:
    """Return units per hour by hour of the day, (n, 24)."""
    gained = state["gained"] + PRIOR_H * mean[:, None]
    rates: Floats = np.maximum(gained / (state["passed_h"] + PRIOR_H), 0.0)
    return rates


def by_weekday(state: NDArray[np.void], mean: Floats) -> Floats:
    """Return how much more than usual comes in on each day of the week, (n, 7), Thursday first (UTC)."""
    prior = (WEEK_PRIOR_H * np.where(mean > 0, mean, 1.0))[:, None]
    factors: Floats = np.clip((state["day_gained"] + prior) / (state["day_usual"] + prior), 0.5, 2.0)
    factors /= factors.mean(axis=1, keepdims=True)
    return factors
