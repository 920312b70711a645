"""The one clock, scaled or not."""

from __future__ import annotations

import pytest

from nabd import clock
from nabd.clock import ScaledClock


def test_a_scaled_clock_runs_so_many_times_as_fast() -> None:
    scaled = ScaledClock(real=1_000_000, scaled=50_000_000, speed=60)

    assert scaled.at(1_000_000) == 50_000_000
    assert scaled.at(2_000_000) == 110_000_000


def test_a_scaled_clock_survives_its_way_through_the_environment() -> None:
    scaled = ScaledClock(real=1, scaled=2, speed=2.5)

    assert clock.parse(str(scaled)) == (scaled, 2.5)


def test_without_a_scaled_clock_time_is_the_machines() -> None:
    assert clock.parse(None) == (clock.wall, 1.0)


def test_a_clock_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="NABD_CLOCK"):
        clock.parse("noon")
