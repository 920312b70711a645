"""The LoRaWAN city agrees with our profiles and formats, which were written apart from it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from devices import kinds, profiles
from devices.wire.adapters.formats import FORMATS
from devices.wire.adapters.uplink import Uplink
from firmware_sim.lorawan.city import SERVERS, CityDevice, make_city
from firmware_sim.lorawan.models import MODELS, CityModel
from firmware_sim.lorawan.plan import SECOND, Delivery, FrameFault, Plan, make_plan

KINDS = kinds.load()
PROFILES = profiles.load(KINDS, None)
START = 1_790_000_000_123_456
CITY = make_city(16)
TOLD = ("kind", "device", "ts", "seq")


def planned(seconds: float = 60, seed: int = 1) -> Plan:
    return make_plan(CITY, KINDS, seed=seed, start=START, seconds=seconds, interval_s=10)


def read(delivery: Delivery, device: CityDevice) -> tuple[Uplink, dict[str, object]]:
    """Return what our format and profile make of a message."""
    (uplink,) = FORMATS[device.server.format]().read(delivery.topic, delivery.payload, delivery.due).uplinks
    profile = PROFILES.get(device.model.profile)
    assert profile is not None
    result = profile.read(uplink)
    assert (result.unread, result.problems) == ((), ())
    (element,) = result.elements
    return uplink, element


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_what_a_model_sends_is_what_its_profile_reads(model: CityModel) -> None:
    profile = PROFILES.get(model.profile)
    assert profile is not None
    assert model.kind in profile.kinds
    for device in range(20):
        for n in range(20):
            said = model.speak(np.random.default_rng(device), n)
            uplink = Uplink(device="A", raw=b"x", payload=said.payload, port=said.port)
            result = profile.read(uplink)
            assert (result.unread, result.problems) == ((), ())
            (element,) = result.elements
            assert {name: element[name] for name in element if name not in TOLD} == said.values


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_what_a_network_server_says_is_read_as_it_must_be_stored(server: object) -> None:
    plan = planned()
    first: dict[int, Uplink] = {}
    for delivery in plan.deliveries:
        frame = None if delivery.frame is None else plan.frames[delivery.frame]
        if frame is None or delivery.frame is None or frame.device.server is not server:
            continue
        uplink, element = read(delivery, frame.device)
        if delivery.copy:
            original = first[delivery.frame]
            same = ("device", "payload", "counter", "port")
            assert [getattr(uplink, name) for name in same] == [getattr(original, name) for name in same]
            assert uplink.radio["session"] == original.radio["session"]
            continue
        first[delivery.frame] = uplink
        assert element == {
            "kind": frame.device.model.kind,
            "device": frame.device.eui,
            "ts": frame.observed_at,
            "seq": frame.frame.counter,
            **frame.values,
        }
    assert len(first) > 30


def test_a_short_run_has_every_fault_and_ends_in_time() -> None:
    plan = planned(seconds=12)

    assert all(plan.faults[fault] for fault in FrameFault), plan.faults
    assert plan.faults["rejoined"] == 3
    due = [delivery.due for delivery in plan.deliveries]
    assert due == sorted(due)
    assert due[0] > START
    assert due[-1] < START + 12 * SECOND
    told = Counter(delivery.frame for delivery in plan.deliveries if not delivery.copy)
    del told[None]
    assert set(told) == set(range(len(plan.frames)))
    assert set(told.values()) == {1}


def test_counters_begin_anew_after_a_rejoin_and_are_overtaken_by_later_ones() -> None:
    plan = planned()
    sent = [plan.frames[one.frame] for one in plan.deliveries if one.frame is not None and not one.copy]
    by_device = {
        device.eui: [(one.frame.session, one.frame.counter) for one in sent if one.device is device]
        for device in CITY
    }

    assert {max(counters)[0] for counters in by_device.values()} == {0, 1}
    overtaken = sum(counters != sorted(counters) for counters in by_device.values())
    assert 0 < overtaken <= plan.faults[FrameFault.OVERTAKEN]


def test_the_same_seed_gives_the_same_plan() -> None:
    assert planned() == planned()
    assert planned() != planned(seed=2)
