"""What is wrong with the broker: not there, nearly full, or spoken to on topics that nobody reads."""

from __future__ import annotations

import aiomqtt

from api.metrics.platform import BrokerQueue
from devices.storable import storable
from nabd.broker import address, queue, unread
from nabd.broker.client import client
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.embedded.broker import find_mosquitto
from nabd.settings import Settings


async def check(settings: Settings) -> CheckResult:
    """Connect to the broker, and ask how much it holds."""
    if settings.broker is None and settings.stream:
        said = "ingest pulls from JetStream; how much waits there is not looked at"
        return note("broker", said, "watch its consumers by `nats consumer report '$MQTT_msgs'`")
    if settings.broker is None:
        own = (
            "mosquitto"
            if find_mosquitto()
            else "the one in the wheel, which keeps nothing, knows no passwords and speaks MQTT 5 only"
        )
        return note(
            "broker",
            f"none is named; `nabd up` would embed {own}",
            "" if find_mosquitto() else "install mosquitto, or set NABD_BROKER",
        )
    try:
        broker = address.parse(settings.broker)
        async with client(broker) as connection:
            return _queue(f"{broker} lets us in", await queue.ask(connection, queue.limits_of(settings)))
    except ValueError as error:
        return bad("broker", f"NABD_BROKER is no address: {error}", "correct NABD_BROKER")
    except (OSError, aiomqtt.MqttError) as error:
        fix = "start it, or correct NABD_BROKER: address, door and password"
        return bad("broker", f"{address.parse(settings.broker)} does not let us in: {error}", fix)


async def check_topics(broker: str) -> CheckResult:
    """Listen for messages that nobody reads."""
    try:
        async with client(address.parse(broker)) as connection:
            found = await unread.listen(connection)
    except (OSError, aiomqtt.MqttError) as error:
        return note("topics", f"nothing could be heard: {error}")
    if not found:
        return fine("topics", f"nothing came within {unread.LISTEN_S:.0f} s that nobody reads")
    some = ", ".join(storable(topic, 100) for topic, _ in found.most_common(5))
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return note(
        "topics",
        f"{found.total()} messages on topics that nobody reads: {some}{more}",
        "publish on nabd/v1/{municipality}/{kind}/{device}/telemetry, or let a gateway republish there",
    )


def _queue(lets_us_in: str, holds: BrokerQueue | None) -> CheckResult:
    if holds is None:
        fix = "watch its queues with its own tools, or let us read $SYS/broker/#"
        said = f"{lets_us_in}, and does not say how much it holds"
        return note("broker", said, fix)
    if holds.is_near_limit:
        fix = "start `nabd ingest`, or make the database faster, or give the broker more room"
        return bad("broker", queue.said(holds), fix)
    room = f" of {holds.limit:,} at most" if holds.limit else ""
    said = f"{lets_us_in} and holds {holds.queued:,}{room} messages nobody has fetched"
    if holds.memory is not None:
        most = f" of {holds.memory_limit / 2**20:,.0f}" if holds.memory_limit else ""
        said += f", with {holds.memory / 2**20:,.0f}{most} MiB of memory"
    if holds.dropped:
        said += f"; it has dropped {holds.dropped:,} since it started"
        fix = "raise max_queued_messages; devices with receipts send again what was dropped"
        return note("broker", said, fix)
    return fine("broker", said)
