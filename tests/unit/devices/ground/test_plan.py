"""What an import changes, and districts that lie over each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from devices.registry.ground import geojson
from devices.registry.ground.feature import Feature, Layer
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


def test_a_district_that_stays_is_not_overlapped_but_one_that_goes_or_changes_may_be() -> None:
    content = file(feature(OVER_WEST, name="Over"))

    refused = make_plan(content, stored("west", WEST, "West"))
    replaced = make_plan(content, stored("west", WEST, "West"), remove_missing=True)
    corrected = make_plan(content, stored("over", WEST, "Over"))

    assert "stays without --remove-missing" in refused.problems[0].message
    assert replaced.problems == []
    assert corrected.problems == []
