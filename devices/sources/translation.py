"""What one source says, made into elements of the wire contract: format, codec, profile, and no copies.

One translator a source, for whoever hears it: the bridge, or a webhook. Must not know MQTT, HTTP, nor what
becomes of the elements but for being told whether they were settled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from devices.codecs.codec import CodecFailed
from devices.codecs.pool import Codecs
from devices.codecs.profiled import decoded
from devices.profiles import Profiles
from devices.registry.registry import Device
from devices.relay import Outcome
from devices.sources.frames import UNDATED, Frames, frame_of
from devices.sources.source import NATIVE, Source
from devices.sources.states import Frame
from devices.wire import elements, raw, topics
from devices.wire.adapters.formats import FORMATS, Event, FormatReader, Heard, RefusedPart
from devices.wire.adapters.profile import NoReading, Profile
from devices.wire.adapters.uplink import Unreadable, Uplink
from devices.wire.topics import GATEWAY, Channel

PLAIN: Final = "json"
"""The format of documents that the profile itself takes apart: where the device is, and the time."""
ALL: Final = (NATIVE, PLAIN, *FORMATS)
"""Every format that a source may have."""
PROFILE, MODEL = "profile", "model"
"""Attributes of a device that say what reads it, before the source does."""
REASON_LENGTH = 400

_object = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TranslatorMeans:
    """What translators share. device: by the name on the wire, None for a stranger's."""

    profiles: Callable[[], Profiles]
    codecs: Codecs
    device: Callable[[str], Device | None]


@dataclass(slots=True, kw_only=True)
class Translated:
    """What becomes of one message.

    elements: for a relay. frames: of each element, the frame to be known once it is settled, or None.
    undated: frames to be remembered before anything is sent, with the instants that stand in.
    copies: how many frames were heard before, and are not sent again.
    """

    elements: list[dict[str, object]] = field(default_factory=list)
    frames: list[Frame | None] = field(default_factory=list)
    undated: dict[Frame, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    copies: int = 0

    def add(self, element: dict[str, object], frame: Frame | None = None) -> None:
        """Add an element."""
        self.elements.append(element)
        self.frames.append(frame)

    def refuse(self, why: str, sent: bytes, device: str = "") -> None:
        """Add what cannot be read, so that it is seen with its bytes."""
        named = {"device": device} if device else {}
        self.add({**named, "refused": why[:REASON_LENGTH], **raw.member(sent)})


class Translator:
    """Translates the messages of one source, in the order of their arrival."""

    def __init__(self, source: Source, around: TranslatorMeans, frames: Frames) -> None:
        """Begin with the frames that are known; see devices.sources.states."""
        self._source = source
        self._around = around
        self._frames = frames
        self._reader: FormatReader | None = FORMATS[source.format]() if source.format in FORMATS else None

    async def translate(
        self, topic: str, payload: bytes, received_at: int, *, repeated: bool = False
    ) -> Translated:
        """Return what becomes of a message; whatever it is, something that can be seen.

        Args:
            topic: MQTT topic, or what stands for it over HTTP.
            received_at: microseconds since 1970-01-01Z.
            repeated: the sender says that it may have sent it before.

        Raises:
            CodecsAway: no process for codecs can be had; the message is to be tried again.
        """
        found = Translated()
        if self._source.format == NATIVE:
            _read_native(topic, payload, found)
        elif self._reader is None:
            await self._read_plain(topic, payload, received_at, found)
        else:
            try:
                heard = self._reader.read(topic, payload, received_at)
            except Unreadable as error:
                found.refuse(f"{self._source.format}: {error}", payload)
            else:
                await self._add(heard, topic, received_at, found)
        self._date(found, topic.encode() + payload, received_at, repeated)
        return found

    async def overdue(self, now: int) -> Translated:
        """Return what was held back for what should have come before it, and waits no longer."""
        found = Translated()
        if self._reader is not None:
            await self._add(self._reader.overdue(now), "", now, found)
        return found

    def settled(self, found: Translated, outcomes: Sequence[Outcome]) -> dict[Frame, int]:
        """Return the frames to be remembered, with their instants; what was rejected may come again."""
        known: dict[Frame, int] = {}
        for frame, outcome in zip(found.frames, outcomes, strict=True):
            if frame is None:
                continue
            if not outcome.settled:
                self._frames.forget(frame)
            elif (at := self._frames.at(frame)) is not None:
                known[frame] = at
        return known

    async def _read_plain(self, topic: str, payload: bytes, received_at: int, found: Translated) -> None:
        profile = self._around.profiles().get(self._source.profile)
        if profile is None:
            found.refuse(_no_profile(self._source), payload)
            return
        try:
            uplink = profile.uplink(payload, topic)
        except Unreadable as error:
            found.refuse(str(error), payload)
        else:
            await self._add(Heard(uplinks=[uplink]), topic, received_at, found)

    async def _add(self, heard: Heard, topic: str, received_at: int, found: Translated) -> None:
        found.events += heard.events
        for refused in heard.refused:
            _refuse(refused, found)
        for uplink in heard.uplinks:
            frame = _frame(uplink)
            if frame is not None and uplink.at is not None:
                if self._frames.seen(frame, uplink.at) is not None:
                    found.copies += 1
                    continue
                self._frames.add(frame, uplink.at)
            await self._read(uplink, topic, received_at, frame, found)

    async def _read(
        self, uplink: Uplink, topic: str, received_at: int, frame: Frame | None, found: Translated
    ) -> None:
        sent = uplink.raw if len(uplink.raw) <= raw.LIMIT or uplink.payload is None else uplink.payload
        device = self._around.device(uplink.device)
        profile = self._profile_of(device)
        if profile is None:
            found.refuse(_no_profile(self._source), sent, uplink.device)
            return
        try:
            profiles, codecs = self._around.profiles(), self._around.codecs
            made = await decoded(codecs, profiles, profile, uplink, received_at)
            attributes = {} if device is None else device.attributes
            result = profile.read(uplink, made.values if made else None, attributes, topic)
        except (CodecFailed, NoReading) as error:
            found.refuse(str(error), sent, uplink.device)
            return
        for element in result.elements:
            element.update(raw.member(sent))
            found.add(element, frame if "ts" in element else None)

    def _profile_of(self, device: Device | None) -> Profile | None:
        attributes = {} if device is None else device.attributes
        by_model = self._source.profiles.get(str(attributes.get(MODEL, "")), self._source.profile)
        return self._around.profiles().get(str(attributes.get(PROFILE, by_model)))

    def _date(self, found: Translated, content: bytes, received_at: int, repeated: bool) -> None:
        """Date what says no instant; a repeat of it has the instant that it had before."""
        for place, element in enumerate(found.elements):
            if "refused" in element or element.get("ts") is not None:
                continue
            frame = frame_of(str(element.get("device", "")), UNDATED, b"%d %b" % (place, content))
            at = (self._frames.seen(frame, received_at) if repeated else None) or received_at
            self._frames.add(frame, at)
            found.undated[frame] = element["ts"] = at


def _frame(uplink: Uplink) -> Frame | None:
    if uplink.counter is None or not 0 <= uplink.counter < 2**63:
        return None
    content = uplink.payload if uplink.payload is not None else msgspec.json.encode(dict(uplink.values))
    session = str(uplink.radio.get("session", ""))
    return frame_of(uplink.device, uplink.counter, session.encode() + b" " + content)


def _refuse(refused: RefusedPart, found: Translated) -> None:
    found.refuse(refused.why, refused.raw, refused.device)


def _no_profile(source: Source) -> str:
    return (
        f"no profile reads it: `nabd source edit {source.name} --profile NAME` names one for the source,"
        f" the attribute `{PROFILE}` one for a device"
    )


def _read_native(topic: str, payload: bytes, found: Translated) -> None:
    """Take the topics and payloads of this contract, as another broker carries them."""
    try:
        said = topics.parse(topic)
        if said.channel is not Channel.TELEMETRY:
            return
        parts = elements.split(payload)
    except ValueError as error:
        found.refuse(f"{topic}: {error}", payload)
        return
    for _, part in parts:
        try:
            element = _object.decode(part)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            found.refuse(str(error), part, "" if said.kind == GATEWAY else said.device)
            continue
        if said.kind != GATEWAY:
            element |= {"kind": said.kind, "device": said.device}
        found.add(element)
