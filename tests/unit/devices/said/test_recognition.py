"""What a stranger probably is: by the names of what it sends, and by the profiles that read it."""

from __future__ import annotations

import json

import pytest

from devices import profiles
from devices.kinds import load
from devices.recognition import recognise
from firmware_sim.lorawan.city import SERVERS, CityDevice, NetworkServer
from firmware_sim.lorawan.models import MODELS, CityModel
from firmware_sim.lorawan.plan import make_plan

KINDS = load()
PROFILES = profiles.load(KINDS)
START = 1_790_000_000_000_000


def kind_of(said: object) -> str | None:
    found = recognise(KINDS, {}, "x", json.dumps(said).encode())
    return None if found is None else found.kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"ts": 1, "fill_pct": 40, "battery_v": 3.5}, "bin"),
        ({"fillLevel": 40, "batteryVoltage": 3.5}, "bin"),
        ([{"power_w": 40, "dim_pct": 80}], "light"),
        ({"object": {"distance": 700, "temperature": 21}, "deviceInfo": {"devEui": "00"}}, "bin"),
        ({"lat": 1, "lon": 2, "alt_m": 40, "heading_deg": 3, "groundspeed_mps": 4}, "drone"),
    ],
)
def test_a_stranger_is_the_kind_whose_measurements_it_names(said: object, kind: str) -> None:
    assert kind_of(said) == kind


@pytest.mark.parametrize(
    "said", [{}, [], 3, "fill_pct", {"ts": 1}, {"hum": 4, "co2": 900}, {"battery_pct": 40}, None]
)
def test_nothing_is_proposed_where_nothing_or_several_kinds_alike_fit(said: object) -> None:
    assert kind_of(said) is None


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\x00", b"[" * 100_000, b'{"a":' * 5_000])
def test_what_is_no_json_is_nobody(payload: bytes) -> None:
    assert recognise(KINDS, PROFILES, "x", payload) is None


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_profile_of_a_frame_s_bytes_is_proposed(server: NetworkServer, model: CityModel) -> None:
    device = CityDevice(eui=f"{model.eui}000007", model=model, server=server)
    proposed = set()
    for delivery in make_plan([device], KINDS, seed=1, start=START, seconds=60, interval_s=2).deliveries:
        found = recognise(KINDS, PROFILES, device.eui, delivery.payload)
        proposed.add(found.profile if found else "")

    # DF703 says the same bytes as DF702: nobody can tell them apart.
    assert proposed - {""} == ({model.profile} if model.name != "DF702" else set())
    others = recognise(KINDS, PROFILES, "8CF9572000999999", delivery.payload)
    assert others is None or others.profile == ""


def test_a_profile_that_reads_all_of_a_message_is_proposed() -> None:
    vectors = [
        (name, example)
        for name, profile in PROFILES.items()
        for example in profile.examples
        if example.gives and not example.uplink.payload
    ]
    found = {
        name: recognised.profile
        for name, example in vectors
        if (recognised := recognise(KINDS, PROFILES, example.uplink.device, example.uplink.raw))
    }

    assert vectors
    assert all(found[name] in (name, "") for name in found)
