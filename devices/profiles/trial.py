"""What a profile makes of a sample, for people who look at it. Nothing is sent or stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.instants import to_datetime
from devices.wire.adapters.formats import FORMATS
from devices.wire.adapters.profile import NoReading, Profile, Remark
from devices.wire.adapters.profile.message import MessagePaths
from devices.wire.adapters.profile.values import Attributes
from devices.wire.adapters.uplink import Unreadable, Uplink

DEVICE = "sample"
"""What a device is called that a sample does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMessage:
    """A message to try: a document, or a device's bytes alone.

    format: of devices.wire.adapters.formats, empty for plain JSON. at: when it was received, microseconds.
    """

    document: bytes | None = None
    payload: bytes | None = None
    port: int | None = None
    counter: int | None = None
    device: str = ""
    topic: str = ""
    format: str = ""
    at: int

    def uplinks(self, message: MessagePaths) -> list[Uplink]:
        """Return what the sample says of its devices.

        Raises:
            Unreadable: it is not of its format, or says nothing of a device.
            FormatAway: what reads its format is not installed.
        """
        if self.document is None:
            name = self.device or DEVICE
            payload = self.payload or b""
            return [
                Uplink(
                    device=name,
                    raw=payload,
                    payload=payload,
                    port=self.port,
                    counter=self.counter,
                    at=self.at,
                )
            ]
        if not self.format:
            return [message.uplink(self.document, self.topic, self.device or DEVICE)]
        heard = FORMATS[self.format]().read(self.topic, self.document, self.at)
        if heard.uplinks:
            return heard.uplinks
        said = [f"{one.device}: {one.happening}" for one in heard.events] + [r.why for r in heard.refused]
        said += [f"{name}, which is left alone" for name in heard.unread]
        raise Unreadable(f"no reading is in it, but {'; '.join(said) or 'nothing'}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTrial:
    """What became of one uplink: readings as JSON has them, or why there is none.

    measurements of a reading are beside kind, device, ts (RFC 3339), boot and seq.
    """

    readings: tuple[Mapping[str, object], ...]
    refused: str | None
    unread: tuple[Mapping[str, object], ...]
    problems: tuple[Mapping[str, object], ...]
    absent: tuple[Mapping[str, object], ...]


def tried(
    profile: Profile,
    uplink: Uplink,
    decoded: Mapping[str, object] | None = None,
    attributes: Attributes | None = None,
    topic: str = "",
) -> ProfileTrial:
    """Return what a profile makes of one uplink; `decoded`: by its codec."""
    refused = None
    try:
        result = profile.read(uplink, decoded, attributes, topic)
    except NoReading as error:
        refused, result = str(error), error.result
    return ProfileTrial(
        readings=tuple(_shown(element) for element in result.elements),
        refused=refused,
        unread=tuple(map(_said, result.unread)),
        problems=tuple(map(_said, result.problems)),
        absent=tuple(map(_said, result.absent)),
    )


def _shown(element: Mapping[str, object]) -> Mapping[str, object]:
    at = element.get("ts")
    return {**element, "ts": to_datetime(at).isoformat()} if isinstance(at, int) else element


def _said(remark: Remark) -> Mapping[str, object]:
    value = remark.value.hex() if isinstance(remark.value, bytes) else remark.value
    return {"where": remark.where, "value": value, "why": remark.why}
