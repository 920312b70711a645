"""How a broker of others is connected to: where it may stand, and how much of our memory it may have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aiomqtt
import pytest

from devices.instants import to_datetime
from devices.sources.source import Source, Way
from nabd.bridge import upstream
from nabd.bridge.upstream import connected
from nabd.broker.address import BrokerAddress
from notify.channels.public_address import Resolve, listed
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import say
from tests.waiting import eventually, now

OURS = BrokerAddress(host="ours.invalid", port=1)
HERE = listed(["127.0.0.0/8"])


def source(url: str, protocol: str = "5", username: str = "") -> Source:
    return Source(
        id=1, name="lora", municipality="tripoli", municipality_id=1, gateway="lora", gateway_wire="lora",
        way=Way.MQTT, format="json", profile="", profiles={}, url=url, topics=("up/#",), protocol=protocol,
        username=username, authority="", enabled=True, has_secret=False, created_at=to_datetime(now()),
        changed_at=to_datetime(now()),
    )  # fmt: skip


def answering(address: str) -> Resolve:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return [address]

    return resolve


async def refusal(url: str, secret: str = "", username: str = "", **more: Any) -> str:
    with pytest.raises(OSError, match="NABD_SOURCE_TARGETS") as refused:
        async with connected(source(url, username=username), secret, OURS, **more):
            pass
    return str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "[::1]", "localhost"])
async def test_a_source_names_no_private_address_that_is_not_listed(host: str) -> None:
    said = await refusal(f"mqtt://{host}:5432")

    assert "no public address" in said
    assert "NABD_SOURCE_TARGETS" in said


async def test_a_password_goes_in_the_clear_only_to_what_is_listed() -> None:
    public = answering("93.184.216.34")

    for given in ({"secret": "s3cret"}, {"username": "us"}):
        said = await refusal("mqtt://lora.example", **given, resolve=public)
        assert "mqtts://" in said
        assert "NABD_SOURCE_TARGETS" in said


async def test_the_connection_is_made_to_the_address_that_was_judged(foreign: Mosquitto) -> None:
    """The name itself leads nowhere: whoever resolves it again cannot connect."""
    heard = source(f"mqtt://lora.invalid:{foreign.port}", username="us")

    async with connected(
        heard, "s3cret", OURS, targets=listed(["lora.invalid"]), resolve=answering(foreign.host)
    ) as open_:
        await say(foreign, ("up/1", b"{}"))
        assert (await anext(open_.messages())).payload == b"{}"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_no_format_reads_is_never_kept(
    foreign: Mosquitto, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    """A broker of MQTT 5 leaves it out; one of 3.1.1 sends it, and its size is all that stays."""
    # What tests publish by has the same limit as sources: here sources have a smaller one.
    monkeypatch.setattr(upstream, "MAX_MESSAGE", 50_000)
    monkeypatch.setattr(upstream, "LARGEST_PACKET", 51_000)
    heard = source(f"mqtt://{foreign.host}:{foreign.port}", protocol)
    at_limit = b"x" * 50_000

    async with connected(heard, "", OURS, targets=HERE) as open_:
        await say(foreign, ("up/1", b"x" * 60_000), ("up/2", at_limit))
        messages = open_.messages()
        found = [await anext(messages) for _ in range(2 if protocol == "3.1.1" else 1)]

    sizes = [(one.topic, len(one.payload), one.too_large) for one in found]
    oversized = [("up/1", 0, 60_000)] if protocol == "3.1.1" else []
    assert sizes == [*oversized, ("up/2", 50_000, 0)]


async def test_a_source_that_says_more_than_is_taken_is_disconnected_with_the_reason(
    foreign: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "MOST_BYTES", 500_000)
    heard = source(f"mqtt://{foreign.host}:{foreign.port}")

    async with connected(heard, "", OURS, targets=HERE) as open_:
        await say(foreign, *[("up/1", b"x" * 200_000)] * 4)

        async def is_full() -> str:
            return open_._inbox.full

        await eventually(is_full)
        with pytest.raises(aiomqtt.MqttError, match="faster than they are taken: 2 wait with 600,000 bytes"):
            await anext(open_.messages())
