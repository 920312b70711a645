"""What people, trucks and fire do to a bin."""

from __future__ import annotations

from firmware_sim.physics.model import SECOND
from tests.unit.firmware_sim.build import NOON, live, make_bin

DAY = 86_400.0


def test_bin_fills_in_the_course_of_a_day() -> None:
    bin_ = make_bin(first_fill_pct=10.0, fill_pct_per_day=40.0)

    live(bin_, NOON, DAY, every_s=60)

    assert 30.0 < bin_.fill_pct < 75.0


def test_bin_is_emptied_by_the_truck_which_tilts_it() -> None:
    bin_ = make_bin(first_fill_pct=90.0)
    bin_.step(NOON)
    bin_.begin("truck")

    tilts = []
    for second in range(1, 120, 2):
        bin_.step(NOON + second * SECOND)
        tilts.append(bin_.tilt_deg)

    assert max(tilts) > 90.0
    assert tilts[-1] < 5.0
    assert bin_.fill_pct < 6.0


def test_bin_is_collected_at_its_local_hour() -> None:
    bin_ = make_bin(first_fill_pct=70.0, collect_hours=(14.0,))  # NOON is 13:00 in Beirut

    live(bin_, NOON, 3500, every_s=30)
    before = bin_.fill_pct
    live(bin_, NOON + 3500 * SECOND, 400, every_s=30)

    assert before >= 69.0
    assert bin_.fill_pct < 6.0


def test_bin_distance_follows_the_waste_surface() -> None:
    bin_ = make_bin(first_fill_pct=50.0)
    bin_.step(NOON)

    heard = [bin_.measure()["distance_mm"] for _ in range(50)]

    near = [d for d in heard if isinstance(d, float) and abs(d - 900.0) < 20.0]
    assert len(near) >= 48  # the others are lost echoes


def test_bin_sensor_loses_an_echo_now_and_then() -> None:
    bin_ = make_bin()
    bin_.step(NOON)

    heard = {bin_.measure()["distance_mm"] for _ in range(5000)}

    assert {0.0, 65535.0} <= heard


def test_bin_heats_up_in_a_fire_and_cools_down_after_it() -> None:
    bin_ = make_bin()
    bin_.step(NOON)
    assert bin_.temperature_c < 45.0
    bin_.begin("fire")

    noticed = [bin_.step(NOON + s * SECOND) for s in range(1, 120)]
    assert bin_.temperature_c > 200.0
    assert noticed.count(True) == 1

    bin_.end("fire")
    live(bin_, NOON + 120 * SECOND, 3600)
    assert bin_.temperature_c < 45.0
    assert not bin_.truth()["bin-fire"].holds


def test_bin_truth_knows_overflow_before_the_sensor_does() -> None:
    assert make_bin(first_fill_pct=85.0).truth()["bin-overflow"].holds
    assert make_bin(first_fill_pct=84.0).truth()["bin-overflow"].near
    assert not make_bin(first_fill_pct=80.0).truth()["bin-overflow"].near


def test_bin_cell_sags_when_weak() -> None:
    bin_ = make_bin()
    bin_.step(NOON)
    strong = bin_.measure()["battery_v"]

    bin_.begin("weak_cell")
    weak = bin_.measure()["battery_v"]

    assert isinstance(strong, float)
    assert isinstance(weak, float)
    assert strong > 3.5
    assert weak < 3.35
    assert bin_.truth()["bin-battery-low"].holds


def test_bin_reports_more_often_while_it_lies_on_its_side() -> None:
    bin_ = make_bin()
    bin_.step(NOON)
    assert bin_.interval_s() == 600.0

    bin_.begin("tipped")

    assert bin_.step(NOON + SECOND)
    assert bin_.interval_s() == 60.0


def test_bin_obeys_set_interval_within_limits() -> None:
    bin_ = make_bin()

    assert bin_.command("set_interval", {"interval_s": 30}).status == "succeeded"
    assert bin_.interval_s() == 30.0
    assert bin_.command("set_interval", {"interval_s": -1}).status == "failed"
    assert bin_.command("fly", {}).status == "rejected"
