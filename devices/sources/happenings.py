"""What network servers say became of downlinks, and of devices that are told them, however it was heard.

By a broker or a webhook alike. Must not know MQTT or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.commands.downlinks import Became, record_heard
from devices.commands.queue import wake
from devices.instants import Now
from devices.registry.registry import Device
from devices.sources.source import Source
from devices.wire.adapters.formats import Event, Happening
from devices.wire.adapters.formats.downlinks import FORMATS, TRIES_AGAIN, ids_of
from store.connection import Connection

_BECAME: Final[Mapping[Happening, Became]] = {
    Happening.QUEUED: "queued",
    Happening.SENT: "sent",
    Happening.DELIVERED: "confirmed",
    Happening.UNDELIVERED: "given_up",
    Happening.FAILED: "failed",
}


def concerns_commands(source: Source, event: Event) -> bool:
    """Tell whether `record_happening` has anything to do, should the source be among the device's relays."""
    if source.format not in FORMATS:
        return False
    return event.happening is Happening.JOINED or (
        event.happening in _BECAME and bool(ids_of(event.downlink))
    )


async def record_happening(
    connection: Connection, source: Source, device: Device, event: Event, now: Now
) -> None:
    """Move commands to the device of an event on as one of its relays says.

    event: one that concerns commands.
    """
    if event.happening is Happening.JOINED:  # it listens now: what nobody took is tried again
        await wake(connection, [device.id], now)
        return
    became = _BECAME[event.happening]
    if became == "given_up" and source.format in TRIES_AGAIN:
        became = "unconfirmed"
    ids = ids_of(event.downlink)
    await record_heard(connection, source.id, device.id, ids, became, now, why=event.text)
