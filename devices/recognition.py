"""What a device that nobody registered probably is: by the names of what it sends, and by what profiles read.

Pure. A proposal only: somebody looks at it before it counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from devices.kinds import Kinds
from devices.kinds.kind import RESERVED, Kind
from devices.naming import probably
from devices.nesting import is_too_deep
from devices.wire.adapters.formats import FORMATS
from devices.wire.adapters.profile import Profile
from devices.wire.adapters.profile.result import NoReading
from devices.wire.adapters.uplink import Unreadable, Uplink
from devices.wire.raw import sent_by_device

ALIKE = 0.75
"""What a name counts that is only like a measurement's; one that is a measurement's counts 1."""
HEADLINE = 0.5
"""What is added for the measurement that a kind is about: batteries and signals are everybody's."""
_FEWEST = 2
MOST_NAMES = 200
NETWORKS: Final = {"chirpstack": "event/up", "things_stack": ""}
"""Formats of network servers, and the topic under which an uplink is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedMessage:
    """A kind, and a profile where one reads the message. names: those it was recognised by, as sent."""

    kind: str
    profile: str = ""
    names: tuple[str, ...] = ()


def recognise(
    kinds: Kinds, profiles: Mapping[str, Profile], device: str, payload: bytes
) -> RecognisedMessage | None:
    """Return what the sender of a payload probably is; None where nothing fits, or several kinds alike.

    payload: as it was published; an element of a gateway says what the device sent in `raw`.
    """
    if by_profile := _by_profile(profiles, device, sent_by_device(payload) or payload):
        return by_profile
    names = _names(payload)
    fits = sorted(((*_fit(kind, names), kind.name) for kind in kinds.values()), reverse=True)
    if not fits:
        return None
    score, known, kind = fits[0]
    second = fits[1][0] if len(fits) > 1 else 0.0
    # One name that several kinds know tells nothing.
    if score == second or (len(known) < _FEWEST and second):
        return None
    return RecognisedMessage(kind=kind, names=known)


def _framed(device: str, payload: bytes) -> Uplink | None:
    """Return the frame of a device in what a network server says; None where it is none of theirs."""
    for format_name, topic in NETWORKS.items():
        try:
            heard = FORMATS[format_name]().read(topic, payload, 0)
        except Unreadable:
            continue
        for uplink in heard.uplinks:
            if uplink.device == device and uplink.payload:
                return uplink
    return None


def _fit(kind: Kind, names: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
    """Return how well names fit a kind, and which of them do."""
    measured = {m.name for m in kind.measurements}
    score, known = 0.0, []
    for name in names:
        meant = name if name in measured else probably(kind, name)
        if meant is None:
            continue
        score += 1.0 if name in measured else ALIKE
        score += HEADLINE if meant == kind.headline else 0.0
        known.append(name)
    return score, tuple(known)


def _names(payload: bytes) -> tuple[str, ...]:
    """Return the names of values anywhere in a JSON message, each once."""
    if is_too_deep(payload.decode("utf-8", "replace")):
        return ()
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return ()
    found = dict.fromkeys(name for name in _leaves(said) if name not in RESERVED)
    return tuple(found)[:MOST_NAMES]


def _leaves(said: object) -> Iterator[str]:
    if isinstance(said, list):
        for one in said:
            yield from _leaves(one)
    elif isinstance(said, dict):
        for name, value in said.items():
            if isinstance(value, dict | list):
                yield from _leaves(value)
            else:
                yield str(name)


def _by_profile(profiles: Mapping[str, Profile], device: str, payload: bytes) -> RecognisedMessage | None:
    """Return the profile that reads most of a message and leaves nothing; None where two do.

    A message is what a network server says of the bytes of a frame, or else plain JSON.
    """
    framed = _framed(device, payload)
    found = _best(profiles, lambda _: framed) if framed is not None else None
    return found or _best(profiles, lambda profile: profile.uplink(payload, device=device))


def _best(profiles: Mapping[str, Profile], uplink: Callable[[Profile], Uplink]) -> RecognisedMessage | None:
    fits: list[tuple[int, str, RecognisedMessage]] = []
    for name, profile in profiles.items():
        try:
            result = profile.read(uplink(profile))
        except (Unreadable, NoReading):
            continue
        if result.unread or result.problems or not result.elements:
            continue
        element = result.elements[0]
        values = tuple(n for n, v in element.items() if n not in RESERVED and v is not None)
        found = RecognisedMessage(kind=str(element["kind"]), profile=name, names=values)
        fits.append((len(values), name, found))
    fits.sort(reverse=True)
    if not fits or (len(fits) > 1 and fits[0][0] == fits[1][0]):
        return None
    return fits[0][2]
