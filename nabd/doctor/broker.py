"""What is wrong with the broker: not there, nearly full, or spoken to on topics that nobody reads."""

from __future__ import annotations

import aiomqtt

from api.metrics.platform import BrokerQueue
from devices.storable import storable
from devices.texts.translated import say, several, some_of
from nabd.broker import address, queue, unread
from nabd.broker.client import client
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.embedded.broker import find_mosquitto
from nabd.settings import Settings

TELEMETRY = "nabd/v1/{municipality}/{kind}/{device}/telemetry"


async def check(settings: Settings) -> CheckResult:
    """Connect to the broker, and ask how much it holds."""
    if settings.broker is None and settings.stream:
        return note("broker", say("check.broker_jetstream"), say("check.watch_consumers"))
    if settings.broker is None and find_mosquitto():
        return note("broker", say("check.broker_embedded"))
    if settings.broker is None:
        return note("broker", say("check.broker_of_wheel"), say("check.install_broker"))
    try:
        broker = address.parse(settings.broker)
        async with client(broker) as connection:
            return _queue(str(broker), await queue.ask(connection, queue.limits_of(settings)))
    except ValueError as error:
        found = say("check.broker_no_address", error=str(error))
        return bad("broker", found, say("check.correct_broker"))
    except (OSError, aiomqtt.MqttError) as error:
        found = say("check.broker_away", broker=str(address.parse(settings.broker)), error=str(error))
        return bad("broker", found, say("check.start_broker"))


async def check_topics(broker: str) -> CheckResult:
    """Listen for messages that nobody reads."""
    try:
        async with client(address.parse(broker)) as connection:
            found = await unread.listen(connection)
    except (OSError, aiomqtt.MqttError) as error:
        return note("topics", say("check.topics_unheard", error=str(error)))
    if not found:
        return fine("topics", say("check.topics_read", seconds=round(unread.LISTEN_S)))
    topics = some_of([storable(topic, 100) for topic, _ in found.most_common()])
    unread_by_all = say("check.topics_unread", n=found.total(), topics=topics)
    return note("topics", unread_by_all, say("check.publish_where_read", topic=TELEMETRY))


def _queue(broker: str, holds: BrokerQueue | None) -> CheckResult:
    if holds is None:
        return note("broker", say("check.broker_mute", broker=broker), say("check.watch_broker"))
    if holds.is_near_limit:
        return bad("broker", queue.near_limit(holds), say("check.relieve_broker"))
    found = [say("check.broker_holds", broker=broker, n=holds.queued)]
    if holds.limit:
        found = [say("check.broker_holds_of", broker=broker, queued=holds.queued, most=holds.limit)]
    if holds.memory is not None:
        used, most = round(holds.memory / 2**20), round(holds.memory_limit / 2**20)
        memory = say("check.broker_memory_of", used=used, most=most)
        found.append(memory if most else say("check.broker_memory", used=used))
    if not holds.dropped:
        return fine("broker", several(found))
    found.append(say("check.broker_dropped", n=holds.dropped))
    return note("broker", several(found), say("check.raise_queue"))
