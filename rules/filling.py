"""How fast something fills by hour of the day, and when it will be full.

Learnt from what comes in, whether or not it is emptied meanwhile: rises and settlings between samples are
added up by hour of the day and day of the week, and fade; falls that are emptyings, and leaps that no hand
makes, are left out. What is expected is that profile, from the level now. A single wild value moves nothing,
nor do days without use. State has a constant size per device. Pure. Must not know the database or rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
"""A rise of so many emptyings at once is a sensor that was blind or a bin that lay on its side."""
SETTLES = 0.5
"""A fall by such a share of what was in it is an emptying."""
LONGEST_H = 24.0
"""Between samples farther apart too much may have happened."""
SHARED_H = 2.0
"""Between samples farther apart than this nobody knows at which hour it came."""
PRIOR_H = 1.0
"""Each hour of the day counts as seen for so long at the mean rate."""
Z80, Z95 = 0.84, 1.645
"""One-sided quantiles of four chances in five and nineteen in twenty, for what scatters normally."""
LATEST = 1.25
"""Nights make the tail long: what misses an evening comes next morning. So nineteen chances in twenty must be
within the time asked for and a quarter more."""
UNSURE = 0.065
"""How well a week's profile tells the next day: its relative error on simulated bins."""
BAG = 1.0
"""How much comes in at once, as long as nobody has seen it."""
SATURATES = 1.1
"""So far above the level that matters sensors still tell what comes in."""
SLOWEST = 1.0 / 240
"""Rates in units per hour under which nothing fills: one point in ten days."""
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
_HOURS, _WEEK = 24, 168

STATE = np.dtype(
    [
        ("at", "<i8"),
        ("level", "<f4"),
        ("maybe_at", "<i8"),
        ("maybe", "<f4"),
        ("gained", "<f4", (_HOURS,)),
        ("passed_h", "<f4", (_HOURS,)),
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

State = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """When n devices reach a level, (n,) each; NaN where that cannot be told or will not happen.

    level, rate_per_h: now, and the mean of a day in units per hour. hours_p50: as likely before as after.
    hours_p80, hours_p95: by then with four chances in five, with nineteen in twenty. samples: what the rate
    rests on. idle: next to nothing has come in lately, so that nobody knows when it goes on.
    """

    level: Floats
    rate_per_h: Floats
    hours_p50: Floats
    hours_p80: Floats
    hours_p95: Floats
    samples: Ints
    idle: NDArray[np.bool_]


def fresh(n: int) -> State:
    """Return the state of n devices nothing is known about."""
    state = np.zeros(n, dtype=STATE)
    state["level"] = np.nan
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
    first = given & (state["at"] == 0)
    fits = given & ~first & _is_step(state["level"], value, emptied_by)
    # One wild value is no jump: the next must say the same.
    proven = given & ~first & ~fits & (state["maybe_at"] > 0) & _is_step(state["maybe"], value, emptied_by)
    supposed = given & ~first & ~fits & ~proven
    emptied = proven & (state["maybe"] < state["level"])
    state["emptied_at"] = np.where(emptied, state["maybe_at"], state["emptied_at"])
    before = np.where(proven, state["maybe"], state["level"]).astype(np.float64)
    hours = (at - np.where(proven, state["maybe_at"], state["at"])) / 3600.0
    told = (fits | proven) & (before < reaches * SATURATES) & (hours > 0) & (hours < LONGEST_H)
    _learn(state, np.flatnonzero(told), at, value - before, hours)
    taken = first | fits | proven
    state["maybe_at"] = np.where(supposed, at, np.where(taken, 0, state["maybe_at"]))
    state["maybe"] = np.where(supposed, value, state["maybe"])
    state["level"] = np.where(taken, value, state["level"])
    state["at"] = np.where(taken, at, state["at"])
    state["samples"] += taken


def _is_step(before: Floats, value: Floats, emptied_by: float) -> NDArray[np.bool_]:
    """Tell what may have come in, or settled, between two samples.

    Waste does not settle by half: what is emptied while there is little in it falls by little.
    """
    came = value - before
    settles = np.clip(before * SETTLES, emptied_by / 4, emptied_by)
    step: NDArray[np.bool_] = (came > -settles) & (came < LEAP * emptied_by)
    return step


def _learn(state: State, rows: Ints, at: Ints, came: Floats, hours: Floats) -> None:
    """Add what came in to the hour of the day in which it came."""
    came, hours = came[rows], hours[rows]
    hour = ((at[rows] - hours * 1800.0) // 3600 % _HOURS).astype(np.int64)
    expected = _expected(state[rows], hour) * hours
    rows, came, hours, hour, expected = _unless_unused(state, rows, came, hours, hour, expected)
    keeps = np.exp(-hours / MEMORY_H)
    surprise = (came - np.where(np.isnan(expected), came, expected)) ** 2 / hours
    state["variance"][rows] = keeps * state["variance"][rows] + (1 - keeps) * surprise
    state["gained"][rows] *= keeps[:, None]
    state["passed_h"][rows] *= keeps[:, None]
    _learn_day(state, rows, at, came, hours, expected)
    share = np.zeros((len(rows), _HOURS))
    share[np.arange(len(rows)), hour] = 1.0
    share = np.where(hours[:, None] > SHARED_H, 1.0 / _HOURS, share)
    state["gained"][rows] += share * came[:, None]
    state["passed_h"][rows] += share * hours[:, None]


def _learn_day(state: State, rows: Ints, at: Ints, came: Floats, hours: Floats, expected: Floats) -> None:
    """Compare what came in with what usually does, by day of the week."""
    known = np.isfinite(expected) & (hours <= SHARED_H)
    rows, came, hours, expected = rows[known], came[known], hours[known], expected[known]
    fades = np.exp(-hours / WEEK_MEMORY_H)[:, None]
    day = ((at[rows] - hours * 1800.0) // 86_400 % 7).astype(np.int64)
    for name, value in (("day_gained", came), ("day_usual", expected)):
        state[name][rows] *= fades
        state[name][rows, day] += value


def _expected(state: State, hour: Ints) -> Floats:
    """Return what usually comes in at an hour of the day, units per hour; NaN while unknown."""
    overall = _mean(state)
    expected: Floats = _profile(state, overall)[np.arange(len(state)), hour]
    return np.where(state["passed_h"].sum(axis=1) >= ENOUGH_H, expected, np.nan)


def _unless_unused(
    state: State, rows: Ints, came: Floats, hours: Floats, hour: Ints, expected: Floats
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


def _forget(state: State, rows: Ints) -> None:
    """Begin to learn anew."""
    for name in ("gained", "passed_h", "lately", "lately_usual", "day_gained", "day_usual"):
        state[name][rows] = 0.0


def _make_up_for(state: State, rows: Ints, missed: Floats) -> None:
    """Add what did not come in before it was clear that nothing would."""
    gained = state["gained"][rows].sum(axis=1, dtype=np.float64)
    state["gained"][rows] *= (1.0 + missed / np.maximum(gained, missed))[:, None]


def outlook(state: State, now: Ints, reaches: float) -> Outlook:
    """Return when each device reaches a level.

    Args:
        state: (n,) of STATE.
        now: (n,) seconds since 1970-01-01Z.
    """
    passed = state["passed_h"].sum(axis=1, dtype=np.float64)
    mean = np.where(passed >= ENOUGH_H, _mean(state), np.nan)
    level = state["level"].astype(np.float64)
    left = np.maximum(reaches - level, 0.0)
    profile = _profile(state, mean)
    days = _days(state, mean)
    hours = _until(profile, days, now, left)
    ahead = np.where(np.isnan(hours), 0.0, hours)
    # What comes in scatters, and so does the rate, the more the less of it was seen.
    scatter = _variance(state, passed, mean) * ahead * (1.0 + ahead / np.maximum(passed, 1.0))
    unsure = UNSURE**2 * (1.0 + _WEEK / np.maximum(passed, 1.0))
    doubt = np.sqrt(scatter + unsure * left**2)

    def by(quantile: float) -> Floats:
        return _until(profile, days, now, np.where(left > 0, left + quantile * doubt, 0.0))

    return Outlook(
        level=level,
        rate_per_h=mean,
        hours_p50=hours,
        hours_p80=by(Z80),
        hours_p95=by(Z95),
        samples=state["samples"].astype(np.int64),
        idle=state["idle_h"] > 0,
    )


def _variance(state: State, passed: Floats, mean: Floats) -> Floats:
    """Return how much what comes in an hour scatters, (n,); at first that is what bags of a point would."""
    seen = np.maximum(passed - ENOUGH_H, 0.0) / MEMORY_H
    prior = ENOUGH_H / MEMORY_H
    variance: Floats = (state["variance"] + prior * BAG * np.maximum(mean, 0.0)) / (seen + prior)
    return variance


def due(looked_at: Ints, observed_at: Ints) -> NDArray[np.bool_]:
    """Tell which devices have a reading new enough to be looked at again, (n,) seconds each."""
    ready: NDArray[np.bool_] = observed_at >= looked_at + SPACING_S
    return ready


def is_soon(found: Outlook, reaches: float, within_s: float) -> NDArray[np.bool_]:
    """Tell who will be full within a time with four chances in five; what is full is told by another rule."""
    likely = found.hours_p80 * 3600.0 <= within_s
    latest = found.hours_p95 * 3600.0 <= LATEST * within_s
    soon: NDArray[np.bool_] = likely & latest & (found.level < reaches) & ~found.idle
    return soon


def is_far(found: Outlook, beyond_s: float) -> NDArray[np.bool_]:
    """Tell who is not expected to be full before a time, or not at all."""
    return ~(found.hours_p50 * 3600.0 <= beyond_s)


def _mean(state: State) -> Floats:
    """Return the mean of a day, units per hour, each hour known as well as the others; NaN while unknown."""
    passed = state["passed_h"].sum(axis=1, dtype=np.float64)
    gained = state["gained"].sum(axis=1, dtype=np.float64)
    overall = np.where(passed > 0, gained / np.where(passed > 0, passed, 1.0), np.nan)
    mean: Floats = _profile(state, overall).mean(axis=1)
    return mean


def _profile(state: State, mean: Floats) -> Floats:
    """Return units per hour by hour of the day, (n, 24)."""
    gained = state["gained"] + PRIOR_H * mean[:, None]
    rates: Floats = np.maximum(gained / (state["passed_h"] + PRIOR_H), 0.0)
    return rates


def _days(state: State, mean: Floats) -> Floats:
    """Return how much more than usual comes in on each day of the week, (n, 7), Thursday first (UTC)."""
    prior = (WEEK_PRIOR_H * np.where(mean > 0, mean, 1.0))[:, None]
    factors: Floats = np.clip((state["day_gained"] + prior) / (state["day_usual"] + prior), 0.5, 2.0)
    factors /= factors.mean(axis=1, keepdims=True)
    return factors


def _until(profile: Floats, days: Floats, now: Ints, left: Floats) -> Floats:
    """Return after how many hours so much has come in, (n,); NaN where next to nothing ever does."""
    n = len(now)
    start = now / 3600.0
    hour = start.astype(np.int64)
    ahead = hour[:, None] + np.arange(_WEEK + 1)[None, :]
    lasts = np.ones((n, _WEEK + 1))
    lasts[:, 0], lasts[:, -1] = 1.0 - (start - hour), start - hour
    rates = np.take_along_axis(profile, ahead % _HOURS, axis=1)
    rates *= np.take_along_axis(days, ahead // _HOURS % 7, axis=1)
    cumulated = np.cumsum(rates * lasts, axis=1)
    week = cumulated[:, -1]
    fills = week > _WEEK * SLOWEST
    weeks = np.floor(left / np.where(fills, week, 1.0))
    rest = left - weeks * week
    place = np.minimum((cumulated < rest[:, None]).sum(axis=1), _WEEK)
    row = np.arange(n)
    rate = rates[row, place]
    reached = cumulated[row, place] - rate * lasts[row, place]
    elapsed = np.maximum(place - 1, 0) + np.where(place > 0, lasts[:, 0], 0.0)
    within = np.where(rate > 0, (rest - reached) / np.where(rate > 0, rate, 1.0), 0.0)
    hours = weeks * _WEEK + elapsed + np.clip(within, 0.0, 1.0)
    return np.where(left <= 0, 0.0, np.where(fills, hours, np.nan))
