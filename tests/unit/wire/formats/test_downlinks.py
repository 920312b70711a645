"""How network servers are told to send something, and by which name they speak of it."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from google.protobuf import json_format

from devices.wire.adapters.downlink import Downlink
from devices.wire.adapters.formats import chirpstack_protobuf
from devices.wire.adapters.formats.downlinks import DownlinkTopic, ids_of, is_told_at, message_of, topic_of

EUI = "24e124136a000001"
ID = UUID("5ab04cf2-6a1a-4a4e-bf8f-1e4b0a7c7a11")
REBOOT = Downlink(port=85, payload=b"\xff\x10\xff", confirmed=False)
AT = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("format_", "topic", "prefix"),
    [
        ("chirpstack", f"application/7b/device/{EUI}/event/up", f"application/7b/device/{EUI}"),
        ("chirpstack", f"eu/application/7b/device/{EUI}/state/join", f"eu/application/7b/device/{EUI}"),
        ("chirpstack", f"application/7b/device/{EUI}/command/down", None),
        ("chirpstack", "application/7b/device/1/event/up", None),
        ("things_stack", "v3/bins@ttn/devices/bin-1/up", "v3/bins@ttn/devices/bin-1"),
        ("things_stack", "v3/bins/devices/bin-1/down/queued", "v3/bins/devices/bin-1"),
        ("things_stack", "v3/bins/devices/bin-1/service/data", None),
        ("things_stack", "up", None),
        ("json", f"application/7b/device/{EUI}/event/up", None),
    ],
)  # fmt: skip
def test_where_a_device_is_told_something_is_where_it_is_heard(
    format_: str, topic: str, prefix: str | None
) -> None:
    found = topic_of(format_, topic, b'{"a": 1}')

    assert found == (DownlinkTopic(prefix=prefix) if prefix else None)


@pytest.mark.parametrize(
    ("format_", "prefix", "payload", "told"),
    [
        ("chirpstack", f"application/7b/device/{EUI}", b"{}", True),
        ("chirpstack", "application/7b/device/24e124136a0000ff", b"{}", False),
        ("things_stack", "v3/a/devices/bin-1", b'{"end_device_ids": {"device_id": "bin-1"}}', True),
        ("things_stack", "v3/a/devices/bin-2", b'{"end_device_ids": {"device_id": "bin-1"}}', False),
        ("things_stack", "v3/a/devices/bin-2", b'{"end_device_ids": {"dev_eui": "24E124136A000001"}}', False),
        ("things_stack", "v3/a/devices/bin-2", b"[[", False),
    ],
)
def test_a_topic_is_the_device_s_only_where_it_names_it(
    format_: str, prefix: str, payload: bytes, told: bool
) -> None:
    assert is_told_at(format_, DownlinkTopic(prefix=prefix), EUI.upper(), payload) is told


def test_a_server_of_protocol_buffers_is_told_so() -> None:
    to = topic_of("chirpstack", f"application/7b/device/{EUI}/event/up", b"\x0a\x01x")
    assert to is not None
    assert not to.json

    topic, payload = message_of("chirpstack", to, ID, REBOOT, AT)

    found = chirpstack_protobuf._MESSAGES["down"].FromString(payload)
    assert topic == f"application/7b/device/{EUI}/command/down"
    assert json_format.MessageToDict(found) == {
        "id": str(ID),
        "devEui": EUI,
        "fPort": 85,
        "data": "/xD/",
    }


def test_the_name_that_a_server_is_given_is_known_again() -> None:
    _, payload = message_of("things_stack", DownlinkTopic(prefix="v3/a/devices/b"), ID, REBOOT, AT)
    (one,) = json.loads(payload)["downlinks"]
    _, payload = message_of("chirpstack", DownlinkTopic(prefix="application/7/device/8"), ID, REBOOT, AT)

    assert ids_of(one["correlation_ids"]) == [ID]
    assert ids_of([json.loads(payload)["id"]]) == [ID]
    assert ids_of(["as:downlink:01HX", "", "nabd:command:x", f"nabd:command:{ID}"]) == [ID]
