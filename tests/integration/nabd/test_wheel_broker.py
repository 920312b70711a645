"""The broker in the wheel, which a machine without mosquitto gets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from nabd.broker.address import BrokerAddress
from nabd.embedded.broker import IotCore

CONNECT_3_1_1 = bytes.fromhex("100d00044d51545404020000000161")
"""A CONNECT of client "a": protocol level 4, clean session, no keep-alive."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[BrokerAddress]:
    with IotCore(tmp_path) as broker:
        yield broker.address


async def test_message_reaches_its_subscriber_over_mqtt_5(address: BrokerAddress) -> None:
    version = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client(address.host, address.port, protocol=version, timeout=30) as client:
        await client.subscribe("a/b", qos=1)

        await client.publish("a/b", b"here", qos=1)

        assert (await anext(aiter(client.messages))).payload == b"here"


def test_client_of_mqtt_3_1_1_is_hung_up_on(address: BrokerAddress) -> None:
    # When this fails the wheel has learned 3.1.1: docs/operations.md and the broker's name may say so.
    with socket.create_connection((address.host, address.port), timeout=30) as device:
        device.sendall(CONNECT_3_1_1)

        assert device.recv(100) == b""
