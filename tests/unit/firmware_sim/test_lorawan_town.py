"""Devices of other vendors in a town: what they say is read by our profiles, without end and in order."""

from __future__ import annotations

from itertools import islice

import pytest

from devices import profiles
from devices.recognition import recognise
from devices.texts.languages import LANGUAGES
from devices.wire.adapters.formats import FORMATS
from devices.wire.adapters.uplink import Uplink
from firmware_sim.lorawan.plan import SECOND
from firmware_sim.lorawan.town import TownDelivery, foreign_devices, spoken
from tests.unit.firmware_sim.build import KINDS, small_town

TOWN = small_town()
DEVICES = foreign_devices(TOWN, 10.0)
STRANGER = DEVICES[-1].city.eui
START = 1_790_000_000_123_456


def said(count: int) -> list[TownDelivery]:
    return [*islice(spoken(DEVICES, KINDS, seed=1, start=START), count)]


def heard(delivery: TownDelivery) -> Uplink:
    (uplink,) = FORMATS["chirpstack"]().read(delivery.topic, delivery.payload, delivery.due).uplinks
    return uplink


def test_devices_stand_in_the_town_s_quarters_and_say_what_they_are() -> None:
    quarters: dict[str, set[str]] = {
        language: {one[language] for one in TOWN.place.quarters} for language in LANGUAGES
    }

    assert len({one.city.eui for one in DEVICES}) == len(DEVICES)
    for one in DEVICES:
        for language, title in one.titles.items():
            assert title.partition(f" {one.city.model.name}")[0] in quarters[language]
    assert {language for one in DEVICES for language in one.titles} == set(LANGUAGES)
    assert {one.attributes["model"] for one in DEVICES} == {one.city.model.name for one in DEVICES}
    assert {one.city.model.kind for one in DEVICES} == {"bin", "light"}
    assert foreign_devices(TOWN, 1e9)[0].every_s == 600.0
    assert foreign_devices(TOWN, 10.0) == DEVICES


def test_all_have_spoken_within_half_of_what_lies_between_two_frames_of_one() -> None:
    first = said(len(DEVICES) + 1)

    assert {heard(one).device for one in first} == {one.city.eui for one in DEVICES}
    assert [one.due for one in first] == sorted(one.due for one in first)
    assert first[0].due > START
    assert first[-1].due <= START + 5 * SECOND + SECOND


def test_what_is_planned_is_what_profiles_read_and_copies_are_known_by_their_counter() -> None:
    known = profiles.load(KINDS, None)
    model = {one.city.eui: one.city.model for one in DEVICES}
    frames = set()
    copies = strange = 0
    for one in said(200):
        uplink = heard(one)
        frame = (uplink.device, uplink.counter, uplink.payload)
        if one.copy:
            copies += 1
            assert frame in frames
            continue
        assert frame not in frames
        frames.add(frame)
        profile = known.get(model[uplink.device].profile)
        assert profile is not None
        (element,) = profile.read(uplink).elements
        if one.planned is None:
            strange += 1
            assert uplink.device == STRANGER
            continue
        assert element == {
            "kind": one.planned.device.model.kind,
            "device": uplink.device,
            "ts": one.planned.observed_at,
            "seq": uplink.counter,
            **one.planned.values,
        }
    assert copies > 5
    assert strange > 20


def test_the_stranger_is_recognised_by_its_first_frame() -> None:
    frame = next(one for one in said(20) if heard(one).device == STRANGER)

    found = recognise(KINDS, profiles.load(KINDS, None), STRANGER, heard(frame).raw)

    assert found is not None
    assert (found.kind, found.profile) == ("bin", "milesight-em310-udl")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_says_the_same(seed: int) -> None:
    again = [*islice(spoken(DEVICES, KINDS, seed=seed, start=START), 50)]

    assert (again == said(50)) is (seed == 1)
