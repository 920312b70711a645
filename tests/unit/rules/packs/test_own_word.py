"""No word of a device's own switches a danger off: a fault, a word that is not known, one that is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rules.context.context import RuleContext
from rules.language.program import Rule
from rules.loading.files import PACKS, default_packs
from rules.sweeps.arrays.received import received_by
from rules.sweeps.arrays.replay import SweepReplay
from rules.sweeps.arrays.silent import SilentOverArrays
from tests.unit.rules.packs.packs import FACTS, every, fired, fired_of
from tests.unit.rules.readings import KINDS, MINUTE, NOON, Evaluator, Reading, attributes_for, columns_of
from tests.unit.rules.sweeps.arrays.town import swept

FAR: dict[str, Any] = {
    "lat": 33.07, "lon": 13.5, "alt_m": 80.0, "speed_mps": 8.0, "wind_mps": 3.0, "battery_pct": 2.0,
    "tank_l": 5.0, "gnss_fix": 4.0,
}  # fmt: skip
"""Seven kilometres outside of its area, high, and nearly empty."""
DANGERS = {"drone-battery-low", "drone-geofence", "drone-altitude"}
RULES = {d.id: Rule(definition=d, version=1) for d in default_packs(KINDS)}


def flying(phase: str | None, seconds: int = 10, start_s: float = 0, **values: Any) -> list[Reading]:
    marked = () if phase in KINDS["drone"].measurement("flight_phase").choices else ("flight_phase",)
    return [
        Reading(minute=r.minute, values={**r.values, "flight_phase": phase}, marked=marked if phase else ())
        for r in every(1 / 60, seconds, start_s / 60, **{**FAR, **values})
    ]


@pytest.mark.parametrize("word", ["fault", "AUTO", None])
def test_dangers_open_whatever_a_drone_says_that_flies_by_height_and_speed(word: str | None) -> None:
    assert fired("drone", *flying(word)) >= DANGERS


def test_docked_drone_that_moves_high_up_flies() -> None:
    assert fired("drone", *flying("docked")) >= DANGERS
    assert not fired("drone", *flying("docked", alt_m=0.1, speed_mps=0.0, lat=32.5))


def test_dangers_go_on_when_the_word_becomes_fault() -> None:
    text = (PACKS / "drone.yaml").read_text(encoding="utf-8")

    told = Evaluator(text, KINDS["drone"], FACTS).feed(*flying("transit"), *flying("fault", 20, start_s=10))

    assert {t.rule for t in told if t.opens} == {*DANGERS, "drone-fault"}
    assert not [t.rule for t in told if not t.opens and str(t.to_state) == "resolved"]
    assert [str(t.severity) for t in told if t.rule == "drone-fault"] == ["critical"]


def test_fault_on_the_ground_is_an_alert_and_no_danger_of_flight() -> None:
    landed = every(1, 3, **{**FAR, "alt_m": 0.2, "speed_mps": 0.0, "lat": 32.5}, flight_phase="fault")

    assert fired("drone", *landed) == {"drone-fault"}


def test_what_a_drone_sprays_outside_its_zone_is_told_without_the_word() -> None:
    spraying: dict[str, Any] = {
        "flow_lpm": 8.0,
        "pressure_bar": 2.0,
        "lat": 31.9,
        "battery_pct": 99.0,
        "alt_m": 3.0,
    }

    assert "drone-off-target" in fired("drone", *flying("fault", **spraying))
    assert "drone-off-target" not in fired("drone", *flying("transit", **spraying))


def lost_link(minutes: float, *readings: Reading) -> list[float]:
    """Return after how many seconds of silence the lost link is told within some minutes."""
    kind = KINDS["drone"]
    sweep = SilentOverArrays(RULES["drone-lost-link"], kind, swept(1), -(1 << 60))
    columns = columns_of(readings, kind)
    program = Evaluator((PACKS / "drone.yaml").read_text(encoding="utf-8"), kind, FACTS).program
    context = RuleContext(columns, np.arange(len(columns)), attributes_for(program))
    replay = SweepReplay(sweep, tick_us=2_000_000, every_us=0)
    replay.receive(received_by(columns, context.interval_us(), sweep.device_id, sweep.measurements))
    last = int(columns.received_at[-1])
    return [(t.observed_at - last) / 1e6 for at, t in replay.until(last + round(minutes * MINUTE)) if t.opens]


@pytest.mark.parametrize("word", ["transit", "fault", "AUTO", None])
def test_link_lost_in_flight_is_told_at_once_whatever_was_said_last(word: str | None) -> None:
    assert lost_link(1, *flying(word)) == [10.0]


def test_link_lost_on_the_ground_is_not_told_as_lost_in_flight() -> None:
    assert not lost_link(60, *flying("fault", alt_m=0.2, speed_mps=0.0))
    assert not lost_link(60, *flying("docked"))


def test_unknown_word_is_told_with_those_that_are_known() -> None:
    text = (PACKS / "any.yaml").read_text(encoding="utf-8")

    (told,) = Evaluator(text, KINDS["drone"]).feed(*flying("AUTO"))

    assert told.rule == "word-unknown"
    said = told.evidence["values"]["said"]
    assert said == 'flight_phase "AUTO" (docked, takeoff, transit, spraying, returning, landing, fault)'
    assert not fired_of("any", "drone", flying("transit"))


def test_drone_on_the_ground_after_a_fault_has_not_lost_its_link_however_its_altitude_is_counted() -> None:
    docked = every(1, 3, -10, flight_phase="docked", alt_m=240.0, speed_mps=0.0)
    landed = every(1, 3, flight_phase="fault", alt_m=240.4, speed_mps=0.0)
    hovering = every(1 / 60, 9, flight_phase="fault", alt_m=262.0, speed_mps=0.0)

    assert not lost_link(30, *docked, *landed)
    assert lost_link(1, *docked, *hovering) == [10.0]


def test_drone_that_hovers_low_over_its_field_flies_until_it_has_stood_for_five_readings() -> None:
    text = (PACKS / "drone.yaml").read_text(encoding="utf-8")
    low = {
        "flight_phase": "fault",
        "battery_pct": 2.0,
        "lat": 32.52,
        "lon": 13.5,
        "wind_mps": 3.0,
        "gnss_fix": 4.0,
    }
    hovers = [
        r for i in range(20) for r in every(1, 1, i / 60, **low, alt_m=1.4 + 0.2 * (i % 2), speed_mps=0.1)
    ]
    stands = every(1 / 60, 6, 20 / 60, **low, alt_m=0.1, speed_mps=0.0)

    told = Evaluator(text, KINDS["drone"], FACTS).feed(*hovers, *stands)

    assert [
        (t.rule, t.opens, round(t.observed_at - NOON) // 1_000_000) for t in told if "battery" in t.rule
    ] == [
        ("drone-battery-low", True, 3),
        ("drone-battery-low", False, 24),
    ]
