"""What an altitude is counted from: the ground at home, as declared or as learned there."""

from __future__ import annotations

import pytest

from rules.context.attributes import Facts
from rules.engine import snapshot
from rules.loading.files import PACKS
from tests.unit.rules.packs.packs import FACTS, every
from tests.unit.rules.packs.test_own_word import flying
from tests.unit.rules.readings import KINDS, Evaluator, Reading

TEXT = (PACKS / "drone.yaml").read_text(encoding="utf-8")
HOME = {"lat": 32.5, "lon": 13.5, "gnss_fix": 4.0, "wind_mps": 3.0, "battery_pct": 90.0, "speed_mps": 0.0}


def docked(alt_m: float) -> list[Reading]:
    return every(1, 3, -10, **HOME, alt_m=alt_m, flight_phase="docked")


def opened(*readings: Reading, home_alt_m: float | None = None) -> set[str]:
    own = {} if home_alt_m is None else {"home_alt_m": home_alt_m}
    facts = {1: Facts(attributes={**FACTS[1].attributes, **own}, lat=32.5, lon=13.5)}
    return {t.rule for t in Evaluator(TEXT, KINDS["drone"], facts).feed(*readings) if t.opens}


@pytest.mark.parametrize(("height", "high"), [(6.0, False), (29.0, False), (31.0, True), (80.0, True)])
@pytest.mark.parametrize("field", [0.0, 240.0, 900.0])
def test_ceiling_is_above_the_ground_that_was_learned_while_docked(
    field: float, height: float, high: bool
) -> None:
    flight = flying("transit", lat=32.501, battery_pct=90.0, alt_m=field + height)

    assert opened(*docked(field), *flight) == ({"drone-altitude"} if high else set())


def test_declared_home_wins_over_what_was_learned() -> None:
    flight = flying("transit", lat=32.501, battery_pct=90.0, alt_m=246.0)

    assert opened(*docked(0.0), *flight) == {"drone-altitude"}
    assert not opened(*docked(0.0), *flight, home_alt_m=240.0)


def test_empty_drone_at_906_m_of_sea_level_is_told() -> None:
    assert opened(*docked(900.0), *flying("transit", lat=32.52, battery_pct=4.0, alt_m=906.0)) == {
        "drone-battery-low"
    }


def test_the_ground_is_remembered_however_readings_are_cut_and_however_long_ago() -> None:
    readings = [
        *docked(240.0),
        *flying("transit", 8, start_s=7200, lat=32.501, battery_pct=90.0, alt_m=275.0),
    ]

    told = [
        [t.rule for t in Evaluator(TEXT, KINDS["drone"], FACTS).feed_cut(readings, cuts)]
        for cuts in ([], [3], [1, 2, 3, 5, 7], range(1, 11))
    ]

    assert told == [["drone-altitude"]] * 4


def test_the_ground_outlives_a_restart_and_a_change_of_rules() -> None:
    before = Evaluator(TEXT, KINDS["drone"], FACTS)
    before.feed(*docked(240.0))
    kept = snapshot.parse(snapshot.dump(snapshot.take(before.state)))
    assert kept is not None
    fewer = TEXT[TEXT.index("- id: drone-altitude") : TEXT.index("- id: drone-poor-fix")]

    for text in (TEXT, fewer):
        after = Evaluator(text, KINDS["drone"], FACTS)
        snapshot.carry(kept, after.state)
        assert not after.feed(*flying("transit", lat=32.501, battery_pct=90.0, alt_m=246.0))


def test_altitude_on_the_ground_that_is_not_home_is_asked_about() -> None:
    standing = every(1, 90, **HOME, alt_m=240.0, flight_phase="docked")

    assert opened(*standing) == {"drone-altitude-reference"}
    assert not opened(*standing, home_alt_m=238.0)
