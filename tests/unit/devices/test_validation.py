"""What the registry accepts of attributes."""

from __future__ import annotations

from typing import Any

import pytest

from devices.kinds import load
from devices.registry.errors import Invalid
from devices.registry.validation import check_attributes, check_title, check_titles, check_weekend
from devices.suggestion import meant
from devices.weekends import weekend_of

DRONE = load()["drone"]
SQUARE = {"type": "Polygon", "coordinates": [[[35.0, 34.0], [35.1, 34.0], [35.1, 34.1], [35.0, 34.0]]]}


@pytest.mark.parametrize(
    "attributes",
    [
        {"geofence": SQUARE},
        {"swath_m": 5, "target_l_ha": 80.5},
        {"swath_m": None},
        {"colour": ["any", {"thing": 1}]},
        {"interval_s": 30},
        {"supply": "night"},
        {"supply": "18:00-06:00"},
    ],
)
def test_attributes_of_the_declared_type_or_undeclared_are_accepted(attributes: dict[str, Any]) -> None:
    check_attributes(attributes, DRONE)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"geofence": "here"}, "GeoJSON Polygon"),
        ({"swath_m": "5"}, "not a number in m"),
        ({"swath_m": True}, "not a number"),
        ({"swath_m": float("inf")}, "not a number"),
        ({"interval_s": "often"}, "not a number in s"),
        ({"interval_s": -1}, "above 0"),
        ({"note": "a\x00b"}, "NUL"),
        ({"": 1}, "has a name"),
        ({"supply": "nights"}, "no plan of power: night, or hours"),
        ({"supply": "18-6"}, "no plan of power: night, or hours"),
        ({"supply": "18:00-18:00"}, "no plan of power: night, or hours"),
    ],
)
def test_attributes_are_refused_with_the_reason(attributes: dict[str, Any], text: str) -> None:
    with pytest.raises(Invalid, match=text):
        check_attributes(attributes, DRONE)


def test_curve_is_points_whose_first_number_rises() -> None:
    check_attributes({"power_curve": "0:0.02 50:0.3 100:1"}, load()["light"])
    for wrong in ("50:0.3, 100:1", "100:1 50:0.3", "", 5):
        with pytest.raises(Invalid, match="is no curve: points such as"):
            check_attributes({"power_curve": wrong}, load()["light"])


def test_floor_of_a_meter_is_a_number() -> None:
    check_attributes({"power_w_floor": 2}, load()["light"])
    with pytest.raises(Invalid, match="not a number in W"):
        check_attributes({"power_w_floor": "2 W"}, load()["light"])


HOLE = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
OUTER = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Polygon", "coordinates": [OUTER, HOLE]},
        {"type": "MultiPolygon", "coordinates": [[OUTER, HOLE], [[[20, 0], [21, 0], [21, 1], [20, 0]]]]},
        {
            "type": "Polygon",
            "coordinates": [[[0, 0, 812.5], [1, 0], [1, 1], [0, 0, 812.5]]],
            "bbox": [0, 0, 1, 1],
        },
    ],
)
def test_polygon_with_holes_or_of_several_parts_is_accepted(geometry: object) -> None:
    check_attributes({"geofence": geometry}, DRONE)


@pytest.mark.parametrize(
    ("rings", "text"),
    [
        ([], r"length >= 1 - at `\$.coordinates`; write"),
        ([OUTER[:3]], r"length >= 4 - at `\$.coordinates\[0\]`; write"),
        ([[[0, 0], [True, 0], [1, 1], [0, 0]]], r"got `bool` - at `\$.coordinates\[0\]\[1\]\[0\]`"),
        ([[[34.0, 95.0]] * 4], r"\[34.0, 95.0\] is no position: longitude -180 to 180, then latitude"),
        ([OUTER[:4]], r"a ring ends at \[0.0, 9.0\], .* add \[0.0, 0.0\] as its last position"),
        ([[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], r"cross or overlap at \[0.5, 0.5\]: list the corners"),
        ([[[0, 0], [2, 0], [2, 2], [1, 0], [0, 2], [0, 0]]], r"touches itself at \[1, 0\]"),
        ([[[1, 1]] * 4], r"the ring at \[1, 1\] has fewer than three different corners"),
        ([HOLE, [[3, 3], [4, 3], [4, 4], [3, 3]]], r"the hole at \[3, 3\] lies outside the first ring"),
        ([OUTER, HOLE, [[1.2, 1.2], [1.4, 1.2], [1.4, 1.4], [1.2, 1.2]]], "lies in another hole"),
        ([[*OUTER], [[4, 0], [9, 4], [4, 9], [0, 4], [4, 0]]], "holes divide the area"),
    ],
)
def test_polygon_that_bounds_no_area_is_refused_with_the_place_and_the_fix(rings: object, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        check_attributes({"geofence": {"type": "Polygon", "coordinates": rings}}, DRONE)


def test_polygons_within_each_other_are_refused() -> None:
    nested = {"type": "MultiPolygon", "coordinates": [[OUTER], [HOLE]]}
    with pytest.raises(Invalid, match=r"polygon at \[1, 1\] lies in another one"):
        check_attributes({"geofence": nested}, DRONE)


def test_suggestion_names_what_was_probably_meant_and_what_there_is() -> None:
    assert meant("tripolis", ["rabat", "tripoli"]) == "did you mean 'tripoli'? known: rabat, tripoli"
    assert meant("x", []) == "known: none yet"


@pytest.mark.parametrize(
    ("locale", "days"),
    [
        ("ar-LY", (5, 6)),
        ("ar-PS", (5, 6)),
        ("ar-LB", (6, 7)),
        ("fr-MA", (6, 7)),
        ("ar-EG", (5, 6)),
        ("fa-IR", (5,)),
        ("en", (6, 7)),
    ],
)
def test_days_of_rest_are_the_locales(locale: str, days: tuple[int, ...]) -> None:
    assert weekend_of(locale) == days


def test_a_week_without_a_day_of_work_is_refused() -> None:
    check_weekend([5, 6, 7])
    with pytest.raises(Invalid, match="no day of work"):
        check_weekend(range(1, 8))


@pytest.mark.parametrize("sign", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_title_that_turns_what_stands_beside_it_is_refused(sign: str) -> None:
    with pytest.raises(Invalid, match="direction of writing"):
        check_title(f"Souk {sign}7")
    with pytest.raises(Invalid) as refused:
        check_titles({"en": "Souk", "ar": f"سوق {sign}7"}, "titles")
    assert refused.value.field == "titles.ar"


def test_title_may_hold_the_marks_that_arabic_needs() -> None:
    check_title("سوق\u200f 7\u200e")
