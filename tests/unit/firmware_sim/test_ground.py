"""The made-up map of a town is one that the registry takes, and its devices stand in it."""

from __future__ import annotations

import json

import pytest

from devices.registry.ground import geojson
from devices.registry.ground.feature import Layer
from devices.registry.ground.located import AT_DISTRICT_M, AT_STREET_M
from devices.registry.ground.nearest import NONE, nearest
from devices.registry.ground.plan import plan
from devices.registry.registry import Municipality
from devices.texts.languages import LANGUAGES
from firmware_sim.town import PLACES
from tests.unit.firmware_sim.build import small_town


@pytest.mark.parametrize("municipality", PLACES)
def test_every_town_has_districts_and_streets_in_three_languages_around_its_devices(
    municipality: str,
) -> None:
    town = small_town(municipality=municipality, bins=30, lights=24, drones=3)
    place = town.place
    owner = Municipality(
        id=1,
        name=municipality,
        title=place.title,
        time_zone=place.time_zone,
        locale=place.locale,
        weekend=place.weekend,
        lat=place.lat,
        lon=place.lon,
        register_unknown=False,
    )
    names = {}
    found = {}
    for layer, within_m in ((Layer.DISTRICTS, AT_DISTRICT_M), (Layer.STREETS, AT_STREET_M)):
        read = geojson.read(json.dumps(town.layers[layer]).encode(), layer, owner)
        assert plan(layer, [], read, remove_missing=False).problems == []
        assert all(tuple(one.title) == LANGUAGES for one in read.features)
        lat, lon = [d.lat for d in town.devices], [d.lon for d in town.devices]
        found[layer] = nearest([one.geometry for one in read.features], lat, lon, within_m).tolist()
        names[layer] = [one.title["en"] for one in read.features]

    assert NONE not in found[Layer.DISTRICTS]
    assert len(set(found[Layer.DISTRICTS])) >= 6
    lamps = [found[Layer.STREETS][i] for i, d in enumerate(town.devices) if d.kind == "light"]
    assert NONE not in lamps
    titled = [(d, i) for i, d in enumerate(town.devices) if d.kind in ("bin", "light", "drone")]
    said = [
        (d.title.rpartition(" ")[0], names[Layer.DISTRICTS][found[Layer.DISTRICTS][i]]) for d, i in titled
    ]
    # Corners of a polygon lie within the circle that titles go by.
    assert sum(title == district for title, district in said) >= 0.9 * len(said)
