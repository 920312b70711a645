"""Broker addresses."""

from __future__ import annotations

import pytest

from nabd.broker import address
from nabd.broker.address import BrokerAddress


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mqtt://broker", BrokerAddress(host="broker", port=1883)),
        ("mqtt://[::1]:1884/", BrokerAddress(host="::1", port=1884)),
        ("mqtts://broker", BrokerAddress(host="broker", port=8883, secure=True)),
        ("mqtt://~ingest:p%40ss@b", BrokerAddress(host="b", port=1883, username="~ingest", password="p@ss")),
    ],
)
def test_an_address_is_read(text: str, expected: BrokerAddress) -> None:
    assert address.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["broker:1883", "http://broker", "mqtt://", "mqtt://b:port", "mqtt://b/topic"]
)
def test_what_is_no_address_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="mqtt://"):
        address.parse(text)


def test_an_address_is_shown_without_its_password() -> None:
    assert str(address.parse("mqtt://user:secret@broker")) == "mqtt://user@broker:1883"
