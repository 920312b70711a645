"""Packs of SenML that devices post: the numbers become what the kind stores."""

from __future__ import annotations

import json

from devices.kinds import load
from devices.wire.adapters.formats import FORMATS
from devices.wire.posted import of_pack

BIN = load()["bin"]


def posted(*records: dict[str, object]) -> dict[str, object]:
    (one,) = of_pack(FORMATS["senml_json"](), json.dumps(records).encode(), BIN, "b1", 1_772_350_200_000_000)
    return {k: v for k, v in one.element.items() if k not in ("ts", "raw")}


def test_numbers_come_in_the_units_that_the_pack_says() -> None:
    told = posted(
        {"n": "temperature_c", "u": "K", "v": 295.15},
        {"n": "distance_mm", "u": "m", "v": 1.2},
        {"n": "fill_pct", "v": 40},
        {"n": "lid_open", "u": "/", "vb": True},
        {"n": "gain", "u": "x", "v": 3},
    )

    assert told == {
        "kind": "bin",
        "device": "b1",
        "temperature_c": 22,
        "distance_mm": 1200,
        "fill_pct": 40,
        "lid_open": True,
        "gain": 3,
    }


def test_a_unit_that_cannot_be_converted_refuses_the_instant_and_says_which() -> None:
    told = posted({"n": "distance_mm", "u": "K", "v": 295.15}, {"n": "fill_pct", "v": 40})

    assert told == {"kind": "bin", "device": "b1", "refused": "distance_mm: K cannot become mm"}
