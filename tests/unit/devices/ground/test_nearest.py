"""In which district, and at which street, devices stand."""

from __future__ import annotations

import numpy as np
import pytest

from devices.distance import distance_m
from devices.registry.ground.located import AT_DISTRICT_M, AT_STREET_M
from devices.registry.ground.nearest import NONE, nearest
from tests.unit.devices.ground.files import EAST, WEST, box

METRE = 1 / 111_195
"""Degrees of latitude."""


def test_points_belong_to_the_district_that_holds_them_or_to_one_a_few_metres_away() -> None:
    north = 34.45
    lat = [34.43, 34.43, north + 15 * METRE, north + 25 * METRE, 34.43]
    lon = [35.83, 35.86, 35.83, 35.83, 35.81]

    found = nearest([WEST, EAST], lat, lon, AT_DISTRICT_M)

    assert found.tolist() == [0, 1, 0, NONE, NONE]


def test_a_point_on_a_border_belongs_to_the_first_of_both_whatever_stands_beside_it() -> None:
    assert nearest([WEST, EAST], [34.43], [35.85], AT_DISTRICT_M).tolist() == [0]
    assert nearest([EAST, WEST], [34.43, 34.44], [35.85, 35.85], AT_DISTRICT_M).tolist() == [0, 0]


def test_a_hole_is_not_in_its_district() -> None:
    hole = box(35.83, 34.43, 35.84, 34.44)["coordinates"][0]
    holed = {"type": "Polygon", "coordinates": [*WEST["coordinates"], hole]}

    assert nearest([holed], [34.435, 34.425], [35.835, 35.835], AT_DISTRICT_M).tolist() == [NONE, 0]


@pytest.mark.parametrize("latitude", [0.0, 34.4, 60.0])
def test_the_nearest_street_counts_within_fifty_metres_everywhere_on_earth(latitude: float) -> None:
    east_m = float(distance_m(latitude, 0.0, latitude, 1.0))
    lon = np.array([0, 30, 49, 51]) / east_m
    along = {"type": "LineString", "coordinates": [[0.0, latitude - 0.01], [0.0, latitude + 0.01]]}
    away = {
        "type": "LineString",
        "coordinates": [[40 / east_m, latitude - 0.01], [40 / east_m, latitude + 0.01]],
    }

    alone = nearest([along], np.full(4, latitude), lon, AT_STREET_M)
    both = nearest([along, away], np.full(4, latitude), lon, AT_STREET_M)

    assert alone.tolist() == [0, 0, 0, NONE]
    assert both.tolist() == [0, 1, 1, 1]


def test_no_features_and_no_points_find_nothing() -> None:
    assert nearest([], [34.4], [35.8], AT_STREET_M).tolist() == [NONE]
    assert nearest([WEST], [], [], AT_STREET_M).tolist() == []
