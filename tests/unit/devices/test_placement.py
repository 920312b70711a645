"""Places far from the municipality, polygons that leave the home outside, each with what would mend it."""

from typing import Any

import pytest

from devices.kinds import load
from devices.registry.errors import Invalid
from devices.registry.new_device import NewDevice, problems
from devices.registry.placement import FARTHEST_KM, check_near
from devices.registry.registry import Municipality

KINDS = load()
TRIPOLI = Municipality(
    id=1,
    name="tripoli",
    title={},
    time_zone="Asia/Beirut",
    locale="ar-LB",
    weekend=(6, 7),
    lat=34.4367,
    lon=35.8497,
    register_unknown=False,
)


@pytest.mark.parametrize(
    ("lat", "lon", "said"),
    [
        (35.8497, 34.4367, "swapped? 34.4367, 35.8497 lies in tripoli"),
        (34.4367, -35.8497, "a lost sign? 34.4367, 35.8497 lies in tripoli"),
        (-34.4367, -35.8497, "lost signs? 34.4367, 35.8497 lies in tripoli"),
        (-35.8497, 34.4367, "swapped, with a lost sign? 34.4367, 35.8497 lies in tripoli"),
        (32.887, 13.191, "or correct the place of tripoli"),
        (0.0, 0.0, "100 km are allowed"),
    ],
)
def test_a_place_far_from_its_municipality_is_refused_with_what_mends_it(
    lat: float, lon: float, said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_near(lat, lon, {}, TRIPOLI)
    assert refused.value.field == "lat"
    assert said in refused.value.message
    with pytest.raises(Invalid) as refused:
        check_near(None, None, {"home_lat": lat, "home_lon": lon}, TRIPOLI)
    assert refused.value.field == "attributes.home_lat"
    assert said in refused.value.message


@pytest.mark.parametrize(("lat", "lon"), [(34.44, 35.85), (34.44 + FARTHEST_KM / 112, 35.85), (None, None)])
def test_a_place_near_its_municipality_or_none_is_taken(lat: float | None, lon: float | None) -> None:
    check_near(lat, lon, {}, TRIPOLI)


SQUARE = [[35.8, 34.4], [35.9, 34.4], [35.9, 34.5], [35.8, 34.5], [35.8, 34.4]]
ELSEWHERE = [[lon + 1, lat] for lon, lat in SQUARE]
LATITUDE_FIRST = [[lat, lon] for lon, lat in SQUARE]
BOW_TIE = [[35.8, 34.4], [35.9, 34.5], [35.9, 34.4], [35.8, 34.5], [35.8, 34.4]]
HOLE = [[35.82, 34.42], [35.84, 34.42], [35.84, 34.44], [35.82, 34.44], [35.82, 34.42]]


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


@pytest.mark.parametrize(
    ("geofence", "said"),
    [
        (polygon(LATITUDE_FIRST), "longitude first, then latitude"),
        (polygon(ELSEWHERE), "draw it around the home"),
        (polygon(BOW_TIE), "edges cross or overlap at [35.85, 34.45]"),
        (polygon(SQUARE, SQUARE), "edges cross or overlap"),
        (polygon(SQUARE, ELSEWHERE), "hole at [36.8, 34.4] lies outside the first ring"),
        (polygon([[35.8, 34.4]] * 4), "fewer than three different corners"),
    ],
)
def test_a_geofence_that_cannot_be_meant_is_refused_by_name(geofence: Any, said: str) -> None:
    attributes = {"home_lat": 34.45, "home_lon": 35.85, "geofence": geofence}
    (problem,) = problems(
        KINDS, NewDevice(name="d-1", kind="drone", municipality="tripoli", attributes=attributes)
    )
    assert problem.field == "attributes.geofence"
    assert said in problem.message


@pytest.mark.parametrize(
    "geofence",
    [
        polygon(SQUARE),
        polygon(SQUARE, HOLE),
        {"type": "MultiPolygon", "coordinates": [[ELSEWHERE], [SQUARE, HOLE]]},
    ],
)
def test_a_geofence_around_the_home_is_taken_also_in_parts(geofence: Any) -> None:
    attributes = {"home_lat": 34.45, "home_lon": 35.85, "geofence": geofence}
    assert not problems(
        KINDS, NewDevice(name="d-1", kind="drone", municipality="tripoli", attributes=attributes)
    )
