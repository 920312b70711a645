"""What one source says, made into elements of the wire contract: format, codec, profile, and no copies.

One translator a source, for whoever hears it: the bridge, or a webhook. Must not know MQTT, HTTP, nor what
becomes of the elements but for being told whether they were settled.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
from devices.sources.source import NATIVE, PLAIN, Source
from devices.sources.states import Counted, Frame
from devices.storable import storable
from devices.wire import elements, raw, topics
from devices.wire.adapters.formats import FORMATS, Event, FormatReader, Heard
from devices.wire.adapters.formats.bounded import LAST_INSTANT
from devices.wire.adapters.profile import NoReading, Profile, listed
from devices.wire.adapters.uplink import Unreadable, Uplink
from devices.wire.topics import GATEWAY, Channel

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
    """What becomes of one message. Whoever has it says when it has ended; see Translator.end.

    elements: for a relay. frames: of each element, the frame that it is of, or None.
    on_their_way: frames that are this message's to settle, with their instants.
    undated: frames to be remembered before anything is sent, with the instants that stand in.
    copies: how many frames were heard before, and are not sent again.
    speakers: the devices that the message is of, as the source calls them.
    problems: by the places of its elements, of each uplink that was read in part only the device and what
    could not be read.
    unread: of a stream of messages those that no reading is made of, how often by name.
    held: the number under which all of it waits for other messages; released: of those that waited for it.
    """

    elements: list[dict[str, object]] = field(default_factory=list)
    frames: list[Frame | None] = field(default_factory=list)
    on_their_way: dict[Frame, int] = field(default_factory=dict)
    undated: dict[Frame, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    copies: int = 0
    speakers: set[str] = field(default_factory=set)
    problems: dict[range, str] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)
    held: int | None = None
    released: list[int] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, element: dict[str, object], frame: Frame | None = None) -> None:
        """Add an element."""
        self.elements.append(element)
        self.frames.append(frame)

    def refuse(self, why: str, sent: bytes, device: str = "", frame: Frame | None = None) -> None:
        """Add what cannot be read, so that it is seen with its bytes."""
        named = {"device": device} if device else {}
        self.add({**named, "refused": why[:REASON_LENGTH], **raw.member(sent)}, frame)

    def counted(self, outcomes: Sequence[Outcome], now: int) -> Counted:
        """Return what it adds to the count of its source; outcomes: of the elements, in their order.

        What gave no reading is rejected, and no problem beside that.
        """
        rejected = sum(not outcome.settled for outcome in outcomes)
        partly = [
            problem
            for places, problem in self.problems.items()
            if any(outcomes[place].settled for place in places)
        ]
        return Counted(
            readings=len(outcomes) - rejected,
            rejected=rejected,
            copies=self.copies,
            unread=self.unread.total(),
            problems=len(partly),
            problem=partly[-1] if partly else "",
            problem_at=now if partly else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """How a message came; see Translator.translate."""

    topic: str
    at: int
    repeated: bool = False
    waits: bool = False


class Translator:
    """Translates the messages of one source, in the order of their arrival."""

    def __init__(self, source: Source, around: TranslatorMeans, frames: Frames) -> None:
        """Begin with the frames that are known; see devices.sources.states.

        Raises:
            FormatAway: what reads its format is not installed.
        """
        self._source = source
        self._around = around
        self._frames = frames
        self._reader: FormatReader | None = FORMATS[source.format]() if source.format in FORMATS else None

    async def translate(
        self, topic: str, payload: bytes, received_at: int, *, repeated: bool = False, waits: bool = False
    ) -> Translated:
        """Return what becomes of a message; whatever it is, something that can be seen.

        Args:
            topic: MQTT topic, or what stands for it over HTTP.
            received_at: microseconds since 1970-01-01Z.
            repeated: the sender says that it may have sent it before.
            waits: until what has the same frames and is on its way has ended; else they are copies of it.

        Raises:
            CodecsAway: no process for codecs can be had; the message is to be tried again.
        """
        found = Translated()
        arrival = _Arrival(topic=topic, at=received_at, repeated=repeated, waits=waits)
        try:
            if self._source.format == NATIVE:
                self._read_native(payload, arrival, found)
            elif self._reader is None:
                await self._read_plain(payload, arrival, found)
            else:
                try:
                    heard = self._reader.read(topic, payload, received_at, repeated=repeated)
                except Unreadable as error:
                    found.refuse(f"{self._source.format}: {error}", payload)
                else:
                    await self._add(heard, arrival, found)
        except BaseException:
            self.end(found, {}, received_at)
            raise
        return found

    async def overdue(self, now: int) -> Translated:
        """Return what was held back for what should have come before it, and waits no longer."""
        found = Translated()
        if self._reader is not None:
            await self._add(self._reader.overdue(now), _Arrival(topic="", at=now), found)
        return found

    def settled(self, found: Translated, outcomes: Sequence[Outcome]) -> dict[Frame, int]:
        """Return the frames to be remembered as settled, with their instants.

        A frame is settled once all that it says is stored: what was rejected may come again.
        """
        rejected = {
            frame for frame, outcome in zip(found.frames, outcomes, strict=True) if not outcome.settled
        }
        counted = {frame: at for frame, at in found.on_their_way.items() if frame not in rejected}
        dated = {frame: at for frame, at in found.undated.items() if self._frames.is_newest(frame, at)}
        return counted | dated

    def end(self, found: Translated, settled: Mapping[Frame, int], now: int) -> None:
        """Know frames that are remembered as settled; the rest is news when it comes again."""
        for frame, at in settled.items():
            self._frames.settle(frame, at, now)
        self._frames.end(found.on_their_way, found.ended)

    def end_all(self) -> None:
        """Know that nothing is on its way any more: all that is not settled is news when it comes again."""
        self._frames.end_all()

    async def _read_plain(self, payload: bytes, arrival: _Arrival, found: Translated) -> None:
        profile = self._around.profiles().get(self._source.profile)
        if profile is None:
            found.refuse(_no_profile(self._source), payload)
            return
        try:
            uplink = profile.uplink(payload, arrival.topic)
        except Unreadable as error:
            found.refuse(str(error), payload)
        else:
            await self._add(Heard(uplinks=[uplink]), arrival, found)

    async def _add(self, heard: Heard, arrival: _Arrival, found: Translated) -> None:
        found.events += heard.events
        found.speakers |= {one.device for one in heard.uplinks} | {one.device for one in heard.events}
        found.held, found.released = heard.held, heard.released
        found.unread += heard.unread
        for refused in heard.refused:
            found.refuse(refused.why, refused.raw, refused.device)
        framed = [(uplink, _frame(uplink), _heard_at(uplink, arrival)) for uplink in heard.uplinks]
        if arrival.waits:
            await self._wait_for_others([(frame, at) for _, frame, at in framed if frame is not None])
        news: list[tuple[Uplink, Frame | None]] = []
        for uplink, frame, at in framed:  # all of them at once: nobody else has a turn meanwhile
            if frame is not None:
                if self._frames.is_copy(frame, at) or self._frames.on_its_way(frame, at):
                    found.copies += 1
                    continue
                self._frames.begin(frame, at, found.ended)
                found.on_their_way[frame] = at
            news.append((uplink, frame))
        for uplink, frame in news:
            await self._read(uplink, frame, arrival, found)

    async def _wait_for_others(self, frames: Sequence[tuple[Frame, int]]) -> None:
        while other := next(filter(None, (self._frames.on_its_way(*one) for one in frames)), None):
            await other.wait()

    async def _read(self, uplink: Uplink, frame: Frame | None, arrival: _Arrival, found: Translated) -> None:
        sent = uplink.raw if len(uplink.raw) <= raw.LIMIT or uplink.payload is None else uplink.payload
        device = self._around.device(uplink.device)
        profile = self._profile_of(device)
        if profile is None:
            found.refuse(_no_profile(self._source), sent, uplink.device, frame)
            return
        topic = uplink.topic or arrival.topic
        try:
            profiles, codecs = self._around.profiles(), self._around.codecs
            made = await decoded(codecs, profiles, profile, uplink, arrival.at)
            attributes = {} if device is None else device.attributes
            result = profile.read(uplink, made.values if made else None, attributes, topic)
        except (CodecFailed, NoReading) as error:
            if uplink.of_stream and isinstance(error, NoReading) and not error.result.problems:
                found.unread.update(uplink.values.keys())
                return
            found.refuse(str(error), sent, uplink.device, frame)
            return
        if result.problems:
            places = range(len(found.elements), len(found.elements) + len(result.elements))
            found.problems[places] = storable(f"{uplink.device}: {listed(result.problems)}", REASON_LENGTH)
        for place, element in enumerate(result.elements):
            element.update(raw.member(sent))
            self._date(element, place, topic.encode() + uplink.raw, arrival, found)
            found.add(element, frame)

    def _profile_of(self, device: Device | None) -> Profile | None:
        return self._around.profiles().get(profile_name(self._source, device))

    def _read_native(self, payload: bytes, arrival: _Arrival, found: Translated) -> None:
        """Take the topics and payloads of this contract, as another broker carries them."""
        try:
            said = topics.parse(arrival.topic)
            if said.channel is not Channel.TELEMETRY:
                return
            parts = elements.split(payload)
        except ValueError as error:
            found.refuse(f"{arrival.topic}: {error}", payload)
            return
        for place, (_, part) in enumerate(parts):
            try:
                element = _object.decode(part)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                found.refuse(str(error), part, "" if said.kind == GATEWAY else said.device)
                continue
            if said.kind != GATEWAY:
                element |= {"kind": said.kind, "device": said.device}
            elif not _is_device(element.get("device")):
                found.refuse("device: A-Z, a-z, 0-9 and _.:-, at most 64", part)
                continue
            self._date(element, place, arrival.topic.encode() + payload, arrival, found)
            found.add(element)

    def _date(
        self, element: dict[str, object], place: int, content: bytes, arrival: _Arrival, found: Translated
    ) -> None:
        """Date what says no instant; a repeat of it has the instant that it had before."""
        if "refused" in element or element.get("ts") is not None:
            return
        frame = frame_of(str(element.get("device", "")), UNDATED, b"%d %b" % (place, content))
        at = (self._frames.instant(frame, arrival.at) if arrival.repeated else None) or arrival.at
        self._frames.date(frame, at)
        found.undated[frame] = element["ts"] = at


def profile_name(source: Source, device: Device | None) -> str:
    """Return which profile is of a device: as it says itself, by its model, or the source's; empty: none."""
    attributes = {} if device is None else device.attributes
    by_model = source.profiles.get(str(attributes.get(MODEL, "")), source.profile)
    return str(attributes.get(PROFILE, by_model))


def _frame(uplink: Uplink) -> Frame | None:
    if uplink.counter is None or not 0 <= uplink.counter < 2**63:
        return None
    content = uplink.payload if uplink.payload is not None else msgspec.json.encode(dict(uplink.values))
    session = str(uplink.radio.get("session", ""))
    return frame_of(uplink.device, uplink.counter, session.encode() + b" " + content)


def _heard_at(uplink: Uplink, arrival: _Arrival) -> int:
    """Return by what copies are told from news: a gateway's clock may be hours off, the network's is one.

    Both may never have been set, or be nonsense that no database stores: then it is ours.
    """
    said = uplink.at if uplink.heard_at is None else uplink.heard_at
    return said if said is not None and 0 <= said < LAST_INSTANT else arrival.at


def _is_device(said: object) -> bool:
    return isinstance(said, str) and topics.DEVICE.fullmatch(said) is not None


def _no_profile(source: Source) -> str:
    return (
        f"no profile reads it: `nabd source edit {source.name} --profile NAME` names one for the source,"
        f" the attribute `{PROFILE}` one for a device"
    )
