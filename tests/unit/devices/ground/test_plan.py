"""What an import changes, and districts that lie over each other."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import shapely

from devices.registry.ground import geojson, overlaps
from devices.registry.ground.feature import Feature, Layer
from devices.registry.ground.metres import in_metres
from devices.registry.ground.plan import LayerPlan, plan
from tests.unit.devices.ground.files import EAST, STREET, TRIPOLI, WEST, box, feature, file

OVER_WEST = box(35.845, 34.42, 35.88, 34.45)
"""500 m over WEST."""
SLIVER = box(35.8499, 34.42, 35.88, 34.45)
"""9 m over WEST."""


def stored(name: str, geometry: dict[str, Any], title: str) -> Feature:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Feature(id=1, name=name, title={"en": title}, geometry=geometry, updated_at=at)


def make_plan(
    content: bytes, *before: Feature, remove_missing: bool = False, layer: Layer = Layer.DISTRICTS
) -> LayerPlan:
    read = geojson.read(content, layer, TRIPOLI)
    assert read.problems == []
    return plan(layer, before, read, remove_missing=remove_missing)


def test_features_are_compared_by_their_code() -> None:
    before = (stored("west", WEST, "West"), stored("east", EAST, "Ost"), stored("gone", STREET, "Gone"))
    content = file(
        feature(WEST, code="west", name="West"),
        feature(EAST, code="east", name="East"),
        feature(box(35.88, 34.42, 35.9, 34.45), code="new", name="New"),
    )

    kept = make_plan(content, *before, layer=Layer.STREETS)
    removed = make_plan(content, *before, remove_missing=True, layer=Layer.STREETS)

    assert [one.name for one in kept.add] == ["new"]
    assert [one.name for one in kept.change] == ["east"]
    assert (kept.unchanged, kept.kept, list(kept.remove)) == (1, 1, [])
    assert (removed.kept, [one.name for one in removed.remove]) == (0, ["gone"])


def test_districts_of_a_file_that_overlap_are_named_both() -> None:
    planned = make_plan(file(feature(WEST, name="West"), feature(OVER_WEST, name="Over")))

    (problem,) = planned.problems
    assert (problem.pointer, problem.feature) == ("/features/1/geometry", "features[1] over")
    assert problem.message.startswith("'over' overlaps 'west' by 1,5")
    assert "m²: move the border" in problem.message


def test_slivers_along_a_border_are_no_overlap_nor_are_streets_that_cross() -> None:
    assert make_plan(file(feature(WEST, name="West"), feature(SLIVER, name="East"))).problems == []
    crossing = file(feature(STREET, name="A"), feature(OVER_WEST, name="B"), feature(WEST, name="C"))
    assert make_plan(crossing, layer=Layer.STREETS).problems == []


def test_overlaps_are_counted_no_further_than_anybody_reads() -> None:
    piled = [feature(box(35.82, 34.42, 35.85 + n / 1e5, 34.45), code=f"d{n}", name="D") for n in range(40)]

    problems = make_plan(file(*piled)).problems

    assert len(problems) == 101
    assert (problems[0].pointer, problems[0].message[:33]) == ("", "more than 100 districts overlap; ")
    assert problems[1].message.startswith("'d1' overlaps 'd0'")


def test_districts_around_one_place_are_no_pairs_to_be_cut() -> None:
    rim = [(0.1 * math.cos(n * math.pi / 150), 0.1 * math.sin(n * math.pi / 150)) for n in range(301)]
    around = in_metres([shapely.Polygon([(0, 0), *rim[n : n + 2]]) for n in range(300)])

    assert sum(pairs.shape[1] for pairs in overlaps._candidates(around, 0)) == 0


def test_overlaps_of_stored_districts_are_theirs() -> None:
    stored_ones = [stored(f"s{n}", WEST, "S") for n in range(20)]

    problems = make_plan(file(feature(EAST, name="East")), *stored_ones).problems

    assert problems == []


def test_a_district_that_stays_is_not_overlapped_but_one_that_goes_or_changes_may_be() -> None:
    content = file(feature(OVER_WEST, name="Over"))

    refused = make_plan(content, stored("west", WEST, "West"))
    replaced = make_plan(content, stored("west", WEST, "West"), remove_missing=True)
    corrected = make_plan(content, stored("over", WEST, "Over"))

    assert "stays without --remove-missing" in refused.problems[0].message
    assert replaced.problems == []
    assert corrected.problems == []
