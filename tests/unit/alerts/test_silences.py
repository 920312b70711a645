"""Which alerts a silence covers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.silences import Silence, SilenceFacts, matches
from alerts.silencing import values_meant

LAMP = SilenceFacts(
    municipality="tripoli",
    device="light-1",
    rule="lamp-out",
    kind="light",
    district="west",
    attributes={"circuit": "C-17", "poles": 1, "led": True, "height_m": 8.5, "street": {"type": "Polygon"}},
)
EVERY = dict.fromkeys(
    ("municipality", "device", "rule", "kind", "district", "attribute", "attribute_values"), None
)


def silence(**named: Any) -> Silence:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Silence(**{**EVERY, **named}, id=1, from_at=at, until_at=at)


def having(text: str, name: str) -> Silence:
    return silence(attribute=name, attribute_values=values_meant(text))


def test_silence_covers_what_all_that_it_names_applies_to() -> None:
    names = {"municipality": "tripoli", "device": "light-1", "rule": "lamp-out", "kind": "light"}

    assert matches(silence(**names, district="west"), LAMP)
    for name in [*names, "district"]:
        assert matches(silence(**{name: getattr(LAMP, name)}), LAMP)
        assert not matches(silence(**{**names, name: "other"}), LAMP)


def test_silence_of_a_district_leaves_out_a_device_in_none() -> None:
    nowhere = SilenceFacts(
        municipality="tripoli", device="b", rule="r", kind="bin", district=None, attributes={}
    )

    assert not matches(silence(district="west"), nowhere)


@pytest.mark.parametrize(
    ("name", "text", "covered"),
    [
        ("circuit", "C-17", True),
        ("circuit", "C-1", False),
        ("poles", "1", True),
        ("poles", "1.0", True),
        ("poles", "true", False),
        ("led", "true", True),
        ("led", "1", False),
        ("height_m", "8.5", True),
        ("street", '{"type":"Polygon"}', False),
        ("unknown", "null", False),
    ],
)
def test_attribute_is_compared_as_text_number_or_truth(name: str, text: str, *, covered: bool) -> None:
    assert matches(having(text, name), LAMP) is covered


def test_text_means_at_most_one_number_or_truth_beside_itself() -> None:
    assert values_meant("007") == ["007"]
    assert values_meant("90") == ["90", 90]
    assert values_meant("[1]") == ["[1]"]
    assert values_meant("NaN") == ["NaN"]
    assert values_meant("1e999") == ["1e999"]
