"""Own history, geometry and the sun, checked against other ways to the same number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import astral
import astral.sun
import numpy as np
import pytest
from numpy.typing import NDArray

from devices.distance import distance_m
from devices.instants import to_microseconds
from rules.context.geometry import Polygons
from rules.context.sun import elevation_deg
from rules.definition.errors import RulesRefused
from tests.unit.rules.readings import KINDS, Evaluator, at, rule, told

DRONE = KINDS["drone"]
RISE = rule('levels: {warning: "rate(temperature_c, \\"1m\\") >= 1"}')
STEP = rule("levels: {warning: delta(fill_pct) >= 20}")


def test_delta_compares_with_the_last_decided_reading() -> None:
    readings = [at(0, fill_pct=10), at(10, fill_pct=None), at(20, fill_pct=30)]

    assert told(Evaluator(STEP).feed(*readings)) == [("firing", "warning", 20)]


def test_delta_is_undecided_after_silence() -> None:
    assert told(Evaluator(STEP).feed(at(0, fill_pct=10), at(26, fill_pct=90))) == []


def test_delta_remembers_over_batches_and_ignores_late_readings() -> None:
    evaluator = Evaluator(STEP)

    assert told(evaluator.feed(at(0, fill_pct=10))) == []
    assert told(evaluator.feed(at(-5, fill_pct=80))) == []
    assert told(evaluator.feed(at(10, fill_pct=29), at(20, fill_pct=49))) == [("firing", "warning", 20)]


def test_rate_is_per_the_time_it_names() -> None:
    slow = [at(0, temperature_c=20), at(10, temperature_c=29)]
    fast = [at(0, temperature_c=20), at(10, temperature_c=30)]

    assert told(Evaluator(RISE).feed(*slow)) == []
    assert told(Evaluator(RISE).feed(*fast)) == [("firing", "warning", 10)]


def over_the_north(condition: str, *headings: float) -> list[tuple[str, str, float]]:
    """Return what a rule of one condition tells of headings ten minutes apart."""
    text = rule(f"levels: {{warning: '{condition}'}}\nmax_gap: 1d", kind="drone")
    return told(Evaluator(text, DRONE).feed(*(at(10 * i, heading_deg=h) for i, h in enumerate(headings))))


@pytest.mark.parametrize(
    ("condition", "headings", "fires"),
    [
        ("delta(heading_deg) > 0", (359, 1), True),
        ("abs(delta(heading_deg)) > 3", (359, 1, 359), False),
        ('rate(heading_deg, "10m") > 1.9', (359, 1), True),
        ('abs(rate(heading_deg, "1m")) > 1', (359, 1, 359, 1), False),
        ('abs(rate(heading_deg, "10m")) > 100', (90, 200), True),
        ('flat(heading_deg, "4 readings", 3)', (359, 1, 0, 359), True),
        ('flat(heading_deg, "4 readings", 3)', (359, 1, 4, 359), False),
        ('flat(heading_deg, "4 readings", 0)', (360, 0, 360, 0), True),
        ('flat(heading_deg, "4 readings", 3)', (0, 120, 240, 0), False),
        ("delta(known(heading_deg, 0)) > 10", (359, 1), False),
    ],
)
def test_a_heading_changes_the_shorter_way(condition: str, headings: tuple[float, ...], fires: bool) -> None:
    assert bool(over_the_north(condition, *headings)) is fires


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_heading_is_flat_over_batches_too(cut: int) -> None:
    text = rule("levels: {warning: 'flat(heading_deg, \"4 readings\", 3)'}\nmax_gap: 1d", kind="drone")
    readings = [at(10 * i, heading_deg=h) for i, h in enumerate((359, 1, 0, 359))]

    assert told(Evaluator(text, DRONE).feed_cut(readings, [cut])) == [("firing", "warning", 30)]


@pytest.mark.parametrize("condition", ['baseline(heading_deg, "8d") > 1', 'trend(heading_deg, "8d") > 1'])
def test_what_adds_up_angles_is_refused(condition: str) -> None:
    with pytest.raises(RulesRefused, match="goes around"):
        over_the_north(condition, 1)


@pytest.mark.parametrize(
    ("energy", "fires"),
    [((4_294_967.2, 0.4), False), ((1204.0, 0.1, 0.3), False), ((1204.0, 1204.0, 1206.0), True)],
)
def test_a_counter_that_falls_has_been_reset(energy: tuple[float, ...], fires: bool) -> None:
    text = rule(
        "let: {pace: 'rate(energy_kwh, \"1h\")'}\nmax_gap: 1d\n"
        "levels: {warning: pace < 0 or pace > 3 or delta(energy_kwh) < 0}",
        kind="light",
    )

    transitions = Evaluator(text, KINDS["light"]).feed(
        *(at(20 * i, energy_kwh=kwh) for i, kwh in enumerate(energy))
    )

    assert bool(told(transitions)) is fires


def test_distance_is_known_between_tripoli_and_benghazi() -> None:
    found = distance_m(np.array([32.887]), np.array([13.191]), np.array([32.115]), np.array([20.068]))

    assert found[0] == pytest.approx(650_000, rel=0.01)


def test_polygon_tells_inside_from_outside_and_a_hole_is_outside() -> None:
    outer = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
    hole = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
    polygons = Polygons([{"type": "Polygon", "coordinates": [outer, hole]}, None, {"type": "Polygon"}])
    owners = np.array([0, 0, 0, 0, 1, 2])
    lat = np.array([5.0, 2.0, 11.0, np.nan, 5.0, 5.0])
    lon = np.array([5.0, 3.0, 5.0, 5.0, 5.0, 5.0])

    found = polygons.outside(owners, lat, lon)

    np.testing.assert_array_equal(found, [1, 0, 1, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    "nonsense",
    [
        3,
        {},
        {"type": "Point"},
        {"type": "Polygon", "coordinates": [["x"]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1e400, 0], [1, 1], [0, 0]]]},
    ],
)
def test_polygon_that_is_none_counts_as_absent(nonsense: object) -> None:
    assert np.isnan(outside(nonsense, (0.5, 0.5))).all()


SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


def outside(polygon: object, *points: tuple[float, float]) -> NDArray[np.float64]:
    lon, lat = np.array(points, dtype=np.float64).T
    return Polygons([polygon]).outside(np.zeros(len(points), dtype=np.intp), lat, lon)


def test_point_on_an_edge_or_corner_of_a_polygon_is_inside() -> None:
    assert not outside(SQUARE, (0, 0.5), (1, 0.5), (0.5, 0), (0.5, 1), (0, 0), (1, 1)).any()


def test_point_is_inside_a_multipolygon_where_one_of_its_polygons_holds_it() -> None:
    east = [[[5, 0], [6, 0], [6, 1], [5, 1], [5, 0]]]
    both = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], east]}

    np.testing.assert_array_equal(outside(both, (0.5, 0.5), (5.5, 0.5), (3, 0.5)), [0, 0, 1])


def test_polygon_stored_before_crossings_were_refused_is_judged_by_even_and_odd() -> None:
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}

    np.testing.assert_array_equal(outside(bow_tie, (0.1, 0.5), (0.9, 0.5), (0.5, 0.9)), [0, 0, 1])


@pytest.mark.parametrize(
    ("lat", "lon"), [(32.9, 13.2), (33.9, 35.5), (34.0, -6.8), (31.5, 34.5), (-33.0, 151.0)]
)
def test_sun_stands_where_astral_says(lat: float, lon: float) -> None:
    start = datetime(2026, 1, 3, tzinfo=UTC)
    moments = [start + timedelta(hours=37 * i) for i in range(250)]
    instants = np.array([to_microseconds(m) for m in moments], dtype=np.int64)

    found = elevation_deg(instants, np.full(250, lat), np.full(250, lon))

    place = astral.Observer(lat, lon)
    expected = [astral.sun.elevation(place, moment, with_refraction=False) for moment in moments]
    np.testing.assert_allclose(found, expected, atol=0.02)
