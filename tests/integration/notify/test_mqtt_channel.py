"""Open alerts stand at the broker as long as they are open."""

from __future__ import annotations

import asyncio
import json
import socket

import aiomqtt
import pytest

from nabd.broker import client
from nabd.broker.address import BrokerAddress
from notify.channels.mqtt import MqttChannel
from notify.message import Occasion, Undelivered
from notify.texts.work_message import work_message
from tests.brokers import Mosquitto
from tests.unit.notify.builders import make_message, make_news, make_reader
from tests.unit.notify.texts.test_work_message import news as make_work_news


def channel_to(port: int, timeout_s: float = 5.0) -> MqttChannel:
    """Return a channel to the broker of a port."""
    address = BrokerAddress(host="127.0.0.1", port=port)
    return MqttChannel(lambda: client.client(address, timeout_s=timeout_s), timeout_s=timeout_s)


async def kept(port: int) -> dict[str, dict[str, object]]:
    """Return what a client that comes later is told."""
    found: dict[str, dict[str, object]] = {}
    async with aiomqtt.Client("127.0.0.1", port) as listener:
        await listener.subscribe("nabd/#", qos=1)
        await listener.publish("nabd/end", b"{}", qos=1)
        async for message in listener.messages:
            if str(message.topic) == "nabd/end":
                return found
            assert isinstance(message.payload, bytes)
            found[str(message.topic)] = json.loads(message.payload)
    raise AssertionError


async def test_alert_stands_at_its_topic_until_it_ends_also_after_the_broker_was_away(
    mosquitto: Mosquitto,
) -> None:
    channel = channel_to(mosquitto.port, timeout_s=1.0)
    news = (make_news(alert=7), make_news(alert=8))
    assert await channel.send(make_message(news=news), "nabd/alerts/") == "2 published"
    standing = await kept(mosquitto.port)
    assert sorted(standing) == ["nabd/alerts/tripoli/7", "nabd/alerts/tripoli/8"]
    assert standing["nabd/alerts/tripoli/7"]["severity"] == "critical"

    over = make_message(news=(make_news(alert=7, occasion=Occasion.RESOLVED),))
    await channel.send(over, "nabd/alerts")
    assert sorted(await kept(mosquitto.port)) == ["nabd/alerts/tripoli/8"]

    # What happens to an order is an event, not a state that stands.
    await channel.send(work_message("id-1", make_work_news(), make_reader()), "nabd/alerts")
    assert sorted(await kept(mosquitto.port)) == ["nabd/alerts/tripoli/8"]

    mosquitto.stop()
    with pytest.raises(Undelivered) as failed:
        await channel.send(over, "nabd/alerts")
    assert not failed.value.permanent
    mosquitto.start()
    assert await channel.send(make_message(news=news), "nabd/alerts") == "2 published"
    await channel.close()


async def test_broker_that_hangs_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = channel_to(silent.getsockname()[1], timeout_s=0.3)
        async with asyncio.timeout(5):
            with pytest.raises(Undelivered, match="no answer") as failed:
                await channel.send(make_message(), "nabd/alerts")
    assert not failed.value.permanent


@pytest.mark.parametrize("to", ["", "a/#", "+/x", "$SYS", "nabd/v1/tripoli", "a b"])
async def test_prefix_of_devices_or_of_none_is_refused_for_good(to: str) -> None:
    with pytest.raises(Undelivered) as refused:
        await channel_to(1).send(make_message(), to)
    assert refused.value.permanent
