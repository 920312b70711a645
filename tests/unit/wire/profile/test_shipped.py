"""Every documented message of every shipped profile, through the decoder that ingest uses."""

from __future__ import annotations

import json

import pytest

from devices import profiles
from devices.kinds import load
from devices.wire import Decoder
from devices.wire.adapters.profile import Example, NoReading, Profile
from devices.wire.adapters.profile.profile import differences

KINDS = load(profiles.KINDS)
SHIPPED = profiles.load(KINDS)
VECTORS = [(p, e) for p in SHIPPED.values() for e in p.examples]
WANTED = {
    *("milesight-em310-udl", "milesight-em400-mud", "milesight-em400-tld", "milesight-em500-udl"),
    *("milesight-em500-smtc", "dingtek-df702", "dingtek-df703", "decentlab-dl-mbx", "sensoneo-single-3"),
    *("elsys-elt-ultrasonic", "dragino-ldds75", "nas-ul20xx", "zenopix-dali", "ucifi-light", "ucifi-bin"),
    "mavlink-json",
}


def name_of(vector: object) -> str:
    return vector.says if isinstance(vector, Example) else vector.name if isinstance(vector, Profile) else ""


def test_every_model_that_is_promised_has_a_profile_with_examples_that_give_a_reading() -> None:
    assert set(SHIPPED) >= WANTED
    assert not SHIPPED.refused
    assert [p.name for p in SHIPPED.values() if not any(e.gives for e in p.examples)] == []


@pytest.mark.parametrize(("profile", "example"), VECTORS, ids=name_of)
def test_a_documented_message_becomes_the_reading(profile: Profile, example: Example) -> None:
    if not example.gives:
        with pytest.raises(NoReading, match=f"^profile {profile.name}: "):
            profile.read(example.uplink)
        return

    result = profile.read(example.uplink)

    assert differences(example, result) == []
    assert result.problems == ()
    assert result.unread == ()  # what is not asked for is known, and named in `ignores`


@pytest.mark.parametrize(("profile", "example"), [v for v in VECTORS if v[1].gives], ids=name_of)
def test_the_decoder_of_the_kind_takes_what_results(profile: Profile, example: Example) -> None:
    elements = profile.read(example.uplink).elements

    for element, expected in zip(elements, example.gives, strict=True):
        kind = KINDS[str(element["kind"])]
        sent = {k: v for k, v in element.items() if k not in ("kind", "device")}
        decoded, rejected = Decoder(kind).decode([json.dumps(sent).encode()])

        assert rejected == []
        assert len(decoded) == 1
        assert decoded.extra[0] is None  # every name is one that the kind declares
        for measurement, wanted in expected.items():
            if measurement in decoded.values:
                stored = decoded.values[measurement][0]
                assert stored == pytest.approx(wanted)


def test_profiles_of_a_kind_that_is_not_declared_wait_for_it() -> None:
    without = profiles.load(load())

    assert "milesight-em500-smtc" not in without
    assert without.waiting == {"milesight-em500-smtc": "soil_probe"}
    assert len(without) == len(SHIPPED) - 1
