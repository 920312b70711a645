"""How fast a bin fills: right on simulated bins, through emptyings, settling and wild echoes."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim.physics.bin import HOMES, Bin, BinSite
from firmware_sim.physics.model import SECOND
from firmware_sim.physics.weather import Weather
from rules.forecast.prediction import FillForecast, is_soon, predict
from rules.forecast.profile import STATE, fold, fresh

HEIGHT_MM, DEPTH_MM = 1500.0, 1200.0
STEP_S = 600
START_S = 1_760_000_400
FULL, EMPTIED_BY = 85.0, 8.0


def feed(state: NDArray[np.void], *readings: tuple[float, float]) -> FillForecast:
    """Take in readings (hours, value) of one bin and return the outlook at the last one."""
    at = np.zeros(1, dtype=np.int64)
    for hours, value in readings:
        at = np.array([START_S + round(hours * 3600)], dtype=np.int64)
        fold(state, at, np.array([value]), EMPTIED_BY, FULL)
    return predict(state, at, FULL)


def line(
    start: float, stop: float, level: float, rate: float, every: float = 0.5
) -> list[tuple[float, float]]:
    return [(h, level + rate * (h - start)) for h in np.arange(start, stop, every)]


def test_steady_filling_is_forecast_exactly() -> None:
    found = feed(fresh(1), *line(0, 40.5, 10, 1.0))

    assert found.rate_per_h[0] == pytest.approx(1.0, rel=1e-3)
    assert found.level[0] == pytest.approx(50, abs=0.1)
    assert found.hours_p50[0] == pytest.approx(85 - 50, rel=1e-2)
    assert found.hours_p50[0] < found.hours_p80[0] <= 1.2 * found.hours_p50[0]


def test_nothing_is_told_before_most_of_a_day_was_seen() -> None:
    found = feed(fresh(1), *line(0, 15, 10, 2))

    assert np.isnan(found.hours_p50[0])


def test_what_was_learnt_outlasts_an_emptying() -> None:
    state = fresh(1)
    feed(state, *line(0, 36, 5, 2.0))

    found = feed(state, *line(36, 38, 1, 2.0))

    assert state["emptied_at"][0] == START_S + 36 * 3600
    assert found.hours_p50[0] == pytest.approx((85 - 4) / 2, rel=0.05)


def test_bin_that_is_emptied_thrice_a_day_is_known_as_well_as_one_that_never_is() -> None:
    readings = [(h, 2.0 + 3.0 * (h % 8)) for h in np.arange(0, 72, 0.5)]

    found = feed(fresh(1), *readings)

    assert found.rate_per_h[0] == pytest.approx(3.0, rel=0.02)


def test_nights_are_not_days() -> None:
    """Nothing comes in by night: what is left at dusk takes until the morning and more."""
    level, readings = 5.0, []
    for h in np.arange(0, 96, 0.5):
        readings.append((h, level))
        level += 1.0 if 6 <= (START_S / 3600 + h) % 24 < 18 else 0.0
        level = 3.0 if level > 60 else level
    state = fresh(1)
    feed(state, *readings)
    dusk = START_S + round((96 + (18 - START_S / 3600 % 24) % 24) * 3600)
    state["level"] = 79.0

    found = predict(state, np.array([dusk], dtype=np.int64), FULL)

    assert 12 + 1 <= found.hours_p50[0] <= 12 + 4.5


def test_one_wild_echo_is_no_emptying_and_moves_nothing() -> None:
    state = fresh(1)
    feed(state, *line(0, 20, 10, 1.5), (20, 3.0), *line(20.5, 24, 40.75, 1.5), (24, 99.0))

    found = feed(state, (24.5, 46.75))

    assert state["emptied_at"][0] == 0
    assert found.rate_per_h[0] == pytest.approx(1.5, rel=0.02)
    assert found.level[0] == pytest.approx(46.75, abs=1)


def test_settling_is_no_emptying() -> None:
    state = fresh(1)
    sunk = [(h, v - 5 * (h > 8) - 4 * (h > 16)) for h, v in line(0, 30, 10, 2)]

    found = feed(state, *sunk)

    assert state["emptied_at"][0] == 0
    assert found.rate_per_h[0] == pytest.approx(1.7, abs=0.25)


def test_days_without_use_teach_nothing() -> None:
    state = fresh(1)
    feed(state, *[(h, 2.0 + 2.0 * (h % 24)) for h in np.arange(0, 96, 0.5)])

    found = feed(state, *line(96, 190, 40, 0.0))

    assert found.rate_per_h[0] == pytest.approx(2.0, rel=0.1)


def test_sensor_that_was_frozen_from_the_beginning_is_learnt_anew() -> None:
    state = fresh(1)
    feed(state, *line(0, 96, 20, 0.0))

    found = feed(state, *[(h, 2.0 + 2.0 * (h % 24)) for h in np.arange(96, 144, 0.5)])

    assert found.rate_per_h[0] == pytest.approx(2.0, rel=0.1)


def test_bin_that_nobody_uses_is_never_full() -> None:
    found = feed(fresh(1), *line(0, 48, 30, 0.0))

    assert np.isnan(found.hours_p50[0])
    assert found.level[0] == 30


def test_full_bin_is_full_now() -> None:
    found = feed(fresh(1), *line(0, 45, 10, 2))

    assert (found.hours_p50[0], found.hours_p80[0]) == (0, 0)


def test_memory_is_constant_however_long_a_filling_lasts() -> None:
    state = fresh(1)
    found = feed(state, *line(0, 600, 5, 0.1))

    assert len(state.tobytes()) == STATE.itemsize
    assert found.rate_per_h[0] == pytest.approx(0.1, rel=0.01)


def test_devices_of_one_batch_do_not_touch_each_other() -> None:
    together, alone = fresh(3), fresh(1)
    for hours, value in line(0, 40, 5, 1.0):
        at = np.full(3, START_S + round(hours * 3600), dtype=np.int64)
        fold(together, at, np.array([value, np.nan, 60 - value]), EMPTIED_BY, FULL)
        fold(alone, at[:1], np.array([value]), EMPTIED_BY, FULL)

    assert together[:1].tobytes() == alone.tobytes()
    assert together["samples"][1] == 0


def simulated(seed: int) -> tuple[list[tuple[int, float]], float | None]:
    """Return what a simulated bin reports (s, fill) until it is really full, and when that was (s)."""
    rng = np.random.default_rng(seed)
    bin_ = Bin(
        BinSite(
            install_height_mm=HEIGHT_MM,
            usable_depth_mm=DEPTH_MM,
            volume_l=770.0,
            fill_pct_per_day=float(rng.uniform(15, 40)),
            profile=HOMES,
            collect_hours=(),
            missed_collection=0.0,
            first_fill_pct=float(rng.uniform(5, 40)),
            first_charge=1.0,
            extras=False,
            local_hour=lambda now: ((now // (86_400 * SECOND) + seed) % 7, now / SECOND % 86_400 / 3600),
        ),
        Weather(32.9, 13.2, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
        None,
        rng,
    )
    trucks = {36 * 3600, 84 * 3600}
    reported: list[tuple[int, float]] = []
    for second in range(0, 12 * 86_400, 300):
        now = (START_S + second) * SECOND
        if second in trucks:
            bin_.begin("truck")
        bin_.step(now)
        if second > max(trucks) + 3600 and bin_.fill_pct >= FULL:
            return reported, START_S + second
        distance = bin_.measure()["distance_mm"]
        if second % STEP_S == 0 and isinstance(distance, float | int) and 0 < distance < 6000:
            fill = 100 * (HEIGHT_MM - distance) / DEPTH_MM
            reported.append((START_S + second, min(max(fill, 0.0), 100.0)))
    return reported, None


def test_forecast_of_simulated_bins_is_right_within_a_fifth_of_the_time_left() -> None:
    filled = [(reported, at) for reported, at in map(simulated, range(60)) if at is not None]
    asked = np.array([at for _, at in filled]) - 20 * 3600
    state = fresh(len(filled))
    reports = sorted((at, i, fill) for i, (all_, _) in enumerate(filled) for at, fill in all_)
    reports = [report for report in reports if report[0] <= asked[report[1]]]
    for at, together in groupby(reports, key=itemgetter(0)):
        _, who, fill = zip(*together, strict=True)
        part = state[list(who)]
        fold(part, np.full(len(who), at), np.array(fill), EMPTIED_BY, FULL)
        state[list(who)] = part

    found = predict(state, asked, FULL)

    errors = found.hours_p50 - 20
    assert len(filled) >= 50
    assert float(np.median(np.abs(errors))) <= 4.0
    assert abs(float(np.median(errors))) <= 3.0
    assert 0.6 <= float(np.mean(found.hours_p80 >= 20)) <= 0.95
    assert np.abs(state["emptied_at"] - (START_S + 84 * 3600)).max() <= 3600


def test_little_that_a_truck_takes_is_no_settling() -> None:
    state = fresh(1)
    often = [(h, 1.0 + 1.0 * (h % 6)) for h in np.arange(0, 72, 0.5)]

    found = feed(state, *often)

    assert found.rate_per_h[0] == pytest.approx(1.0, rel=0.05)


def test_less_is_known_of_what_was_seen_for_a_day_than_for_a_week() -> None:
    day, week = feed(fresh(1), *line(0, 24.5, 10, 1.0)), fresh(1)
    for begin in range(0, 168, 24):
        long = feed(week, *line(begin, begin + 24, 10, 1.0))

    assert day.hours_p80[0] / day.hours_p50[0] > long.hours_p80[0] / long.hours_p50[0] > 1


def test_bin_into_which_nothing_comes_any_more_is_not_foretold() -> None:
    state = fresh(1)
    feed(state, *line(0, 48, 10, 1.0))

    found = feed(state, *line(48, 66, 58, 0.01))

    assert found.idle[0]
    assert not is_soon(found, FULL, 48 * 3600.0)[0]


@pytest.mark.parametrize("every_h", [8 + 5 / 3600, 24 + 5 / 3600])
def test_bin_that_reports_once_a_day_is_forecast_too(every_h: float) -> None:
    """It fills by 20 points a day and is emptied every fourth day."""
    hours = np.arange(0, 30 * 24, every_h)
    readings = [(float(h), 2.0 + 20 / 24 * (h % 96)) for h in hours]
    (last_h, level) = next((h, v) for h, v in reversed(readings) if 24 < h % 96 < 72)

    found = feed(fresh(1), *(r for r in readings if r[0] <= last_h))

    assert found.rate_per_h[0] == pytest.approx(20 / 24, rel=0.15)
    assert found.hours_p50[0] == pytest.approx((FULL - level) / (20 / 24), rel=0.25)
