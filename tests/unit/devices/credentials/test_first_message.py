"""The lines that a new device is given: whoever copies them says what the wire contract wants."""

from __future__ import annotations

import ast
import json
import shlex

import pytest

from devices.credentials.credential import IssuedPassword
from devices.credentials.first_message import first_message
from devices.kinds import load
from devices.wire import Decoder, topics

KINDS = load()


def issued(kind: str = "bin", username: str = "BIN-0042") -> IssuedPassword:
    return IssuedPassword(
        device=username,
        title="Souk 'the old'",
        titles={},
        municipality="tripoli",
        kind=kind,
        username=username,
        password="ABCDEFGHABCDEFGHABCDEFGHABCDEFGH",
        before_until=None,
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_first_message_of_every_kind_is_taken(kind: str) -> None:
    lines = first_message(issued(kind), KINDS[kind], "broker.example.org")

    decoded, rejected = Decoder(KINDS[kind]).decode([lines.payload.encode()])

    assert (len(decoded.instant), rejected) == (1, [])
    topic = topics.parse(lines.topic)
    assert (topic.municipality, topic.kind, topic.device) == ("tripoli", kind, "BIN-0042")


def test_lines_name_the_door_and_the_account_of_the_device() -> None:
    lines = first_message(issued(), KINDS["bin"], "broker.example.org")

    assert lines.code == "mqtts://BIN-0042:ABCDEFGHABCDEFGHABCDEFGHABCDEFGH@broker.example.org:8883"
    words = shlex.split(lines.mosquitto_pub)
    said = dict(zip(words[1::2], words[2::2], strict=True))
    assert (said["-h"], said["-p"], said["--cafile"]) == ("broker.example.org", "8883", "authority.pem")
    assert (said["-i"], said["-u"], said["-q"], said["-t"]) == ("BIN-0042", "BIN-0042", "1", lines.topic)
    assert json.loads(said["-m"]) == {"fill_pct": 50}
    ast.parse(lines.python)
    assert 'tls_set("authority.pem")' in lines.python
    assert "setCACert(AUTHORITY)" in lines.arduino
    assert lines.arduino.count("{") == lines.arduino.count("}")


def test_lines_for_a_door_without_tls_ask_for_none() -> None:
    lines = first_message(issued(), KINDS["bin"], "10.0.0.7:1883")

    assert lines.code.startswith("mqtt://")
    assert "cafile" not in lines.mosquitto_pub
    assert "tls_set" not in lines.python
    assert "Secure" not in lines.arduino


@pytest.mark.parametrize(
    ("username", "eui"), [("24E124136B502217", "24e124136b502217"), ("BIN-0042", "DEVEUI")]
)
def test_chirpstack_line_makes_the_device_known_by_its_deveui(username: str, eui: str) -> None:
    words = shlex.split(first_message(issued(username=username), KINDS["bin"], "broker").chirpstack)

    assert words[words.index("-H") + 1].startswith("Grpc-Metadata-Authorization: Bearer ")
    device = json.loads(words[words.index("-d") + 1])["device"]
    assert (device["devEui"], device["name"]) == (eui, "Souk 'the old'")
    assert device.keys() == {"applicationId", "deviceProfileId", "devEui", "name"}


def test_gateway_relays_nothing_yet() -> None:
    assert json.loads(first_message(issued("gateway"), None, "broker").payload) == []
