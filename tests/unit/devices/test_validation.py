"""What the registry accepts of attributes, and what a TOML kind may command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devices.kinds import load
from devices.kinds.kind import ArgumentType
from devices.registry.errors import Invalid
from devices.registry.validation import check_attributes, meant

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
    ],
)
def test_attributes_of_the_declared_type_or_undeclared_are_accepted(attributes: dict[str, Any]) -> None:
    check_attributes(attributes, DRONE)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"geofence": "here"}, "GeoJSON Polygon"),
        ({"geofence": {**SQUARE, "coordinates": [[[35.0, 34.0], [35.1, 34.0]]]}}, "GeoJSON Polygon"),
        ({"geofence": {**SQUARE, "coordinates": [[[34.0, 95.0]] * 4]}}, "GeoJSON Polygon"),
        ({"swath_m": "5"}, "not a number in m"),
        ({"swath_m": True}, "not a number"),
        ({"swath_m": float("inf")}, "not a number"),
        ({"interval_s": "often"}, "not a number in s"),
        ({"interval_s": -1}, "above 0"),
        ({"note": "a\x00b"}, "NUL"),
        ({"": 1}, "has a name"),
    ],
)
def test_attributes_are_refused_with_the_reason(attributes: dict[str, Any], text: str) -> None:
    with pytest.raises(Invalid, match=text):
        check_attributes(attributes, DRONE)


def test_suggestion_names_what_was_probably_meant_and_what_there_is() -> None:
    assert meant("tripolis", ["rabat", "tripoli"]) == "did you mean 'tripoli'? known: rabat, tripoli"
    assert meant("x", []) == "known: none yet"


def test_kind_declared_in_toml_brings_its_commands(tmp_path: Path) -> None:
    (tmp_path / "counter.toml").write_text(
        """
        name = "counter"
        title = {en = "Counter"}
        measurements = [{name = "people"}]
        reporting = [{every_s = 300}]

        [[commands]]
        name = "reset"
        arguments = [{name = "to", low = 0, required = false}, {name = "why", type = "text"}]
        """
    )

    (reset,) = load(tmp_path)["counter"].commands

    assert [(a.name, a.type, a.required) for a in reset.arguments] == [
        ("to", ArgumentType.NUMBER, False),
        ("why", ArgumentType.TEXT, True),
    ]
