"""MQTT topics: nabd/v1/{municipality}/{kind}/{device}/{channel}.

Pure. Must not know the registry: the device of a topic that parses may not exist.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

PREFIX = "nabd/v1"
GATEWAY = "gateway"
"""The kind level of a gateway's topic; its elements name their own kind and device."""

HAND = "~hand"
"""The device level of the gateway that relays, in each municipality, what people enter by hand.

No device may be called so, and no account but the API's publishes as it."""

FOREIGN = "foreign"
"""On our own broker, what devices publish that speak topics of their own: `foreign/MUNICIPALITY/...`."""

MUNICIPALITY = re.compile(r"[a-z0-9-]{1,32}")
KIND = re.compile(r"[a-z][a-z0-9_]{0,30}")
DEVICE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Channel(StrEnum):
    """The last topic level; who sends on it is in the comment."""

    TELEMETRY = "telemetry"  # device -> platform
    PRESENCE = "presence"  # device -> platform, retained
    COMMAND = "command"  # platform -> device
    RESPONSE = "response"  # device -> platform
    RECEIPT = "receipt"  # platform -> device
    CONFIG = "config"  # platform -> device, retained
    REPORTED = "reported"  # device -> platform


class BadTopic(ValueError):
    """A topic that no device may use; the text says which level and why."""


class Topic(msgspec.Struct, frozen=True):
    """One parsed topic. A Struct, which is fast to make: a large fleet has hundreds of thousands."""

    municipality: str
    kind: str
    device: str
    channel: Channel

    def __str__(self) -> str:
        return f"{PREFIX}/{self.municipality}/{self.kind}/{self.device}/{self.channel}"

    def on(self, channel: Channel) -> Topic:
        """Return the same device's topic on another channel."""
        return Topic(self.municipality, self.kind, self.device, channel)


def device_level(topic: str) -> str:
    """Return the level of a topic that names a device, "" where there is none."""
    levels = topic.split("/", 5)
    return levels[4] if len(levels) > 4 else ""


def hand_gateway(municipality: str) -> Topic:
    """Return where what people of a municipality enter by hand is published."""
    return Topic(municipality, GATEWAY, HAND, Channel.TELEMETRY)


EVERYWHERE = "+"


def every(channel: Channel, municipality: str = EVERYWHERE) -> str:
    """Return the subscription filter that matches the channel of every device, of one municipality or all."""
    return f"{PREFIX}/{municipality}/+/+/{channel}"


def parse(topic: str) -> Topic:
    """Parse a topic name.

    Raises:
        BadTopic: wrong number of levels, or a level outside its grammar.
    """
    levels = topic.split("/")
    if len(levels) != 6 or "/".join(levels[:2]) != PREFIX:
        raise BadTopic(f"expected {PREFIX}/municipality/kind/device/channel")
    municipality, kind, device, channel = levels[2:]
    if not MUNICIPALITY.fullmatch(municipality):
        raise BadTopic("municipality: a-z, 0-9 and -, at most 32")
    if not KIND.fullmatch(kind):
        raise BadTopic("kind: a-z, 0-9 and _, a letter first, at most 31")
    if not DEVICE.fullmatch(device) and (kind, device) != (GATEWAY, HAND):
        raise BadTopic("device: A-Z, a-z, 0-9 and _.:-, at most 64")
    try:
        return Topic(municipality, kind, device, Channel(channel))
    except ValueError:
        raise BadTopic(f"channel: one of {', '.join(Channel)}") from None
