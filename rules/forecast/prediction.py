"""When something that fills will be full, from what is known of how it fills.

Expected is the profile that was learnt (`profile`), from the level now on; how sure that is depends on
how much was seen. Pure. Must not know the database or rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.forecast import profile
from rules.forecast.profile import HOURS, WEEK, Floats, Ints

Z80, Z95 = 0.84, 1.645
"""One-sided quantiles of four chances in five and nineteen in twenty, for what scatters normally."""
LATEST = 1.25
"""Nights make the tail long: what misses an evening comes next morning. So nineteen chances in twenty must be
within the time asked for and a quarter more."""
UNSURE = 0.065
"""How well a week's profile tells the next day: its relative error on simulated bins."""
BAG = 1.0
"""How much comes in at once, as long as nobody has seen it."""
SLOWEST = 1.0 / 240
"""Rates in units per hour under which nothing fills: one point in ten days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillForecast:
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


def predict(state: NDArray[np.void], now: Ints, reaches: float) -> FillForecast:
    """Return when each device reaches a level.

    Args:
        state: (n,) of STATE.
        now: (n,) seconds since 1970-01-01Z.
    """
    passed = state["passed_h"].sum(axis=1, dtype=np.float64)
    mean = np.where(passed >= profile.ENOUGH_H, profile.mean_rate(state), np.nan)
    level = state["level"].astype(np.float64)
    left = np.maximum(reaches - level, 0.0)
    by_hour = profile.by_hour(state, mean)
    by_weekday = profile.by_weekday(state, mean)
    hours = _until(by_hour, by_weekday, now, left)
    ahead = np.where(np.isnan(hours), 0.0, hours)
    # What comes in scatters, and so does the rate, the more the less of it was seen.
    scatter = _variance(state, passed, mean) * ahead * (1.0 + ahead / np.maximum(passed, 1.0))
    unsure = UNSURE**2 * (1.0 + WEEK / np.maximum(passed, 1.0))
    doubt = np.sqrt(scatter + unsure * left**2)

    def reached_by(quantile: float) -> Floats:
        return _until(by_hour, by_weekday, now, np.where(left > 0, left + quantile * doubt, 0.0))

    return FillForecast(
        level=level,
        rate_per_h=mean,
        hours_p50=hours,
        hours_p80=reached_by(Z80),
        hours_p95=reached_by(Z95),
        samples=state["samples"].astype(np.int64),
        idle=state["idle_h"] > 0,
    )


def _variance(state: NDArray[np.void], passed: Floats, mean: Floats) -> Floats:
    """Return how much what comes in an hour scatters, (n,); at first that is what bags of a point would."""
    seen = np.maximum(passed - profile.ENOUGH_H, 0.0) / profile.MEMORY_H
    prior = profile.ENOUGH_H / profile.MEMORY_H
    variance: Floats = (state["variance"] + prior * BAG * np.maximum(mean, 0.0)) / (seen + prior)
    return variance


def is_soon(found: FillForecast, reaches: float, within_s: float) -> NDArray[np.bool_]:
    """Tell who will be full within a time with four chances in five; what is full is told by another rule."""
    likely = found.hours_p80 * 3600.0 <= within_s
    latest = found.hours_p95 * 3600.0 <= LATEST * within_s
    soon: NDArray[np.bool_] = likely & latest & (found.level < reaches) & ~found.idle
    return soon


def is_far(found: FillForecast, beyond_s: float) -> NDArray[np.bool_]:
    """Tell who is not expected to be full before a time, or not at all."""
    return ~(found.hours_p50 * 3600.0 <= beyond_s)


def _until(by_hour: Floats, by_weekday: Floats, now: Ints, left: Floats) -> Floats:
    """Return after how many hours so much has come in, (n,); NaN where next to nothing ever does."""
    n = len(now)
    start = now / 3600.0
    hour = start.astype(np.int64)
    ahead = hour[:, None] + np.arange(WEEK + 1)[None, :]
    lasts = np.ones((n, WEEK + 1))
    lasts[:, 0], lasts[:, -1] = 1.0 - (start - hour), start - hour
    rates = np.take_along_axis(by_hour, ahead % HOURS, axis=1)
    rates *= np.take_along_axis(by_weekday, ahead // HOURS % 7, axis=1)
    cumulated = np.cumsum(rates * lasts, axis=1)
    week = cumulated[:, -1]
    fills = week > WEEK * SLOWEST
    weeks = np.floor(left / np.where(fills, week, 1.0))
    rest = left - weeks * week
    place = np.minimum((cumulated < rest[:, None]).sum(axis=1), WEEK)
    row = np.arange(n)
    rate = rates[row, place]
    reached = cumulated[row, place] - rate * lasts[row, place]
    elapsed = np.maximum(place - 1, 0) + np.where(place > 0, lasts[:, 0], 0.0)
    within = np.where(rate > 0, (rest - reached) / np.where(rate > 0, rate, 1.0), 0.0)
    hours = weeks * WEEK + elapsed + np.clip(within, 0.0, 1.0)
    return np.where(left <= 0, 0.0, np.where(fills, hours, np.nan))
