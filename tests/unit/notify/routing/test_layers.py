"""Layers of an on-call schedule: what is refused, and what stays the same when stored and shown."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from devices.registry.errors import Invalid
from nabd.cli.routing.layer_option import layer_of
from notify.routing.layers import check_layers, deciding, stored, written

LAYER: dict[str, Any] = {
    "people": ["amal", "rima", "amal"],
    "start": "2026-03-02",
    "turn_days": 7,
    "handover": "08:00",
    "hours": "18:00-08:00",
    "days": ["fri", "mon"],
}
IDS = {"amal": 4, "rima": 7}


def test_a_layer_is_stored_by_number_and_shown_as_it_was_written() -> None:
    check_layers([LAYER])
    (kept,) = stored([LAYER], IDS)

    assert (kept["people"], kept["days"]) == ([4, 7, 4], [1, 5])
    assert written([kept], {4: "amal", 7: "rima"}) == [{**LAYER, "days": ["mon", "fri"]}]
    assert written([kept], {4: "amal"})[0]["people"] == ["amal", "amal"], "rima was deleted"
    layer = deciding(kept)
    assert layer.hours is not None
    assert (layer.handover_min, layer.hours.minutes, layer.hours.days) == (
        480,
        (1080, 480),
        frozenset({1, 5}),
    )
    bare = {key: kept[key] for key in ("people", "start", "turn_days", "handover")}
    assert deciding(bare).hours is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"peple": []}, "layers[0].peple: is no part of a layer; did you mean 'people'?"),
        ({"people": []}, "layers[0].people: is a list"),
        ({"people": "amal"}, "layers[0].people: is a list"),
        ({"people": [7]}, "layers[0].people: is a list"),
        ({"start": "2026-02-30"}, "layers[0].start: is the day"),
        ({"start": "2026-03-02T08:00"}, "layers[0].start: is the day"),
        ({"turn_days": 0}, "layers[0].turn_days: is a number of days"),
        ({"turn_days": True}, "layers[0].turn_days: is a number of days"),
        ({"handover": "8:00"}, "layers[0].handover: is a local time"),
        ({"hours": "08:00-08:00"}, "layers[0].hours: is a span"),
        ({"hours": 7}, "layers[0].hours: is a span"),
        ({"days": "friday"}, "layers[0].days: is workdays"),
        ({"days": []}, "layers[0].days: is workdays"),
    ],
)
def test_a_layer_that_is_none_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_layers([{**LAYER, **change}])

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("layers", [None, [], [7], [{"people": ["amal"]}], [LAYER] * 11])
def test_layers_that_are_none_are_refused(layers: object) -> None:
    with pytest.raises(Invalid):
        check_layers(layers)


def test_a_layer_is_written_as_words_on_the_command_line() -> None:
    said = "people=amal,rima,amal start=2026-03-02 turn=1w handover=08:00 hours=18:00-08:00 days=fri,mon"

    assert layer_of(said) == LAYER
    assert layer_of("days=workdays") == {"days": "workdays"}
    for wrong in ("turn=36h", "peple=amal", "amal"):
        with pytest.raises(typer.BadParameter):
            layer_of(wrong)
