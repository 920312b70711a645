"""What a source is, and which can be one. Pure."""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from devices.instants import to_microseconds
from devices.registry.errors import Invalid
from devices.suggestion import meant
from devices.wire.topics import FOREIGN, Channel, every

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
NATIVE = "nabd"
"""The format of a broker that carries this platform's own topics."""
PLAIN = "json"
"""The format of documents that the profile itself takes apart: where the device is, and the time."""
NOT_POSTED = ("sparkplug", "mavlink")
"""Formats that a webhook cannot have: what they mean is in the topic, or goes both ways."""
MOST_TOPICS = 20
SECRET_LENGTH = 4_096
SCHEMES = ("mqtt", "mqtts")


class Way(StrEnum):
    """How messages come: we fetch them from a broker, or somebody posts them to us."""

    MQTT = "mqtt"
    WEBHOOK = "webhook"


def can_come(format: str, way: Way) -> bool:  # noqa: A002 - the word of people
    """Tell whether a format comes by a way."""
    return way is Way.MQTT or format not in NOT_POSTED


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source as people describe it.

    gateway: as whom its readings are relayed; empty: a gateway of its own name.
    profile, profiles: what reads devices that say no model, and those that do, by model.
    url: without account; empty: our own broker. protocol: `5` or `3.1.1`.
    """

    name: str
    municipality: str
    format: str
    way: Way = Way.MQTT
    gateway: str = ""
    profile: str = ""
    profiles: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    topics: Sequence[str] = ()
    protocol: str = "5"
    username: str = ""
    authority: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How it goes with a source. reason: why it is not connected, or why readings wait; empty: all is well.

    readings: settled ones; rejected: those that were refused; copies: frames that were heard before.
    refused: deliveries to a webhook by who does not know its secret, the last of them at refused_at.
    problems: what was read in part only; problem: what could not be read of the last, at problem_at.
    unread: messages of a stream of which no reading was made, and none should have been.
    """

    connected: bool
    reason: str
    since: datetime
    alive_at: datetime
    last_message_at: datetime | None
    messages: int
    readings: int
    rejected: int
    copies: int
    refused: int
    refused_at: datetime | None
    problems: int
    problem: str
    problem_at: datetime | None
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source as it is stored; state: None until a process has heard of it."""

    id: int
    name: str
    municipality: str
    municipality_id: int
    gateway: str
    gateway_wire: str
    way: Way
    format: str
    profile: str
    profiles: Mapping[str, str]
    url: str
    topics: Sequence[str]
    protocol: str
    username: str
    authority: str
    enabled: bool
    has_secret: bool
    created_at: datetime
    changed_at: datetime
    state: SourceState | None = None

    @property
    def version(self) -> int:
        """What changes with every change: microseconds since 1970-01-01Z."""
        return to_microseconds(self.changed_at)


FIELDS = (
    "way", "format", "profile", "profiles", "url", "topics", "protocol", "username", "authority", "enabled",
)  # fmt: skip
"""What of a source can be changed, beside its gateway and its secret."""


def check(new: NewSource, formats: Collection[str], *, anywhere: bool = False) -> None:
    """Refuse what cannot be a source.

    Args:
        formats: the formats there are.
        anywhere: on our own broker it may hear of other municipalities too.

    Raises:
        Invalid: names the field.
    """
    if not NAME.fullmatch(new.name):
        raise Invalid("name", f"{new.name!r} is no name of a source: a-z, 0-9 and -, 1 to 32 of them")
    if new.format not in formats:
        raise Invalid("format", f"{new.format!r} is not a format; {meant(new.format, sorted(formats))}")
    if new.protocol not in ("5", "3.1.1"):
        raise Invalid("protocol", f"{new.protocol!r}: MQTT is spoken as 5 or 3.1.1")
    for name, text in (("profile", new.profile), ("username", new.username)):
        if len(text) > 200 or not text.isprintable():
            raise Invalid(name, "at most 200 printable characters")
    if len(new.profiles) > 1_000 or any(not model or len(model) > 200 for model in new.profiles):
        raise Invalid("profiles", "at most 1,000 models, each of 1 to 200 characters")
    if new.way is Way.WEBHOOK:
        if new.url or new.topics:
            raise Invalid("url" if new.url else "topics", "a webhook is posted to us: it has none")
        if not can_come(new.format, new.way):
            raise Invalid("format", f"{new.format} comes by a broker: leave `way` at {Way.MQTT}")
        return
    _check_url(new.url)
    _check_topics(new)
    if not new.url:
        for one in new.topics:
            _check_own(new, one, anywhere)
    if new.authority:
        _check_authority(new)


def check_plain(new: NewSource) -> None:
    """Refuse documents that nothing takes apart; not asked of a source that was there before this was.

    Raises:
        Invalid: there is no profile.
    """
    if new.format == PLAIN and not new.profile:
        why = f"{PLAIN} says neither device nor instant: name the profile that reads them (`--profile NAME`;"
        raise Invalid("profile", f"{why} `nabd profile list` shows those there are)")


def _check_url(url: str) -> None:
    if not url:
        return
    expected = "expected mqtt://host[:port], or mqtts:// for TLS"
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise Invalid("url", "holds an account: give `username` and the secret apart")
    if parts.scheme not in SCHEMES or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise Invalid("url", expected)
    try:
        _ = parts.port
    except ValueError as error:
        raise Invalid("url", f"{error}; {expected}") from error


def _check_topics(new: NewSource) -> None:
    if not 1 <= len(new.topics) <= MOST_TOPICS:
        raise Invalid(
            "topics", f"1 to {MOST_TOPICS} subscriptions, for example application/+/device/+/event/up"
        )
    for one in new.topics:
        levels = one.split("/")
        wild = any(("+" in level and level != "+") or ("#" in level and level != "#") for level in levels)
        if not one or len(one) > 500 or "\x00" in one or wild or "#" in levels[:-1]:
            raise Invalid(
                "topics", f"{one!r} is no subscription: + stands for one level, # for all that follow"
            )
        if one.startswith("$"):
            raise Invalid("topics", f"{one!r}: nobody publishes readings below $")


def _check_own(new: NewSource, topic: str, anywhere: bool) -> None:
    """Refuse what is not for a source to hear on our own broker: of ours all, of others' another town's."""
    first, *rest = topic.split("/")
    if first == FOREIGN and (anywhere or rest[:1] == [new.municipality]):
        return
    raise Invalid(
        "topics",
        f"{topic!r} is not heard on our own broker: below {FOREIGN}/{new.municipality}/ it is, for example"
        f" {FOREIGN}/{new.municipality}/#; `url` names another broker",
    )


def _check_authority(new: NewSource) -> None:
    if not new.url.startswith("mqtts:"):
        raise Invalid("authority", "only a broker by mqtts:// shows a certificate")
    try:
        ssl.create_default_context(cadata=new.authority)
    except (ssl.SSLError, ValueError) as error:
        raise Invalid("authority", f"not certificates in PEM: {error}") from error


_OF_THINGS_STACK = (
    *("up", "join", "down/queued", "down/sent", "down/ack", "down/nack", "down/failed", "down/invalidated"),
)
"""What is heard of The Things Stack: not `down/push`, by which we tell devices something."""


def default_topics(new: NewSource | Source) -> tuple[str, ...]:
    """Return what a source subscribes to where people say nothing: below `foreign/` of our own broker, else
    as its format has it."""
    if not new.url:
        return (f"{FOREIGN}/{new.municipality}/#",)
    return {
        NATIVE: (every(Channel.TELEMETRY),),
        "chirpstack": ("application/+/device/+/event/+",),
        "things_stack": tuple(f"v3/+/devices/+/{one}" for one in _OF_THINGS_STACK),
        "sparkplug": ("spBv1.0/#",),
    }.get(new.format, ())
