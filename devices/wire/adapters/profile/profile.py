"""One profile, and how it makes readings of a message. Pure: see `parse` for how one is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.kinds.kind import Kind, Text, ValueType
from devices.wire import instants
from devices.wire.adapters.profile.downlinks import ProfileDownlink
from devices.wire.adapters.profile.layouts import PayloadLayout, choose, none_fits
from devices.wire.adapters.profile.message import MessagePaths
from devices.wire.adapters.profile.paths import MISSING, MOST_LEAVES, NoValue, ValuePath, leaves, written
from devices.wire.adapters.profile.places import Steps
from devices.wire.adapters.profile.result import NoReading, Remark, Result, listed, shown
from devices.wire.adapters.profile.values import Attributes, BadValue, NotMeasured, Value
from devices.wire.adapters.uplink import Uplink

DEVICE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReading:
    """One reading that a message holds, or one for each entry of a list.

    device: parts of its name, texts and paths in turn. each: where the list stands; paths of everything else
    begin at its entries. at, seq, boot: None for what the message around says.
    """

    kind: Kind
    device: tuple[str | ValuePath, ...]
    values: tuple[Value, ...]
    each: ValuePath | None = None
    at: ValuePath | None = None
    seq: ValuePath | None = None
    boot: ValuePath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A documented message and what becomes of it.

    gives: measurements of each reading, with `device`, `ts`, `kind` where worth saying; none where refused.
    """

    says: str
    uplink: Uplink
    gives: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How the messages of one model become readings.

    title: by language. vendor, model: for people. documented: where the vendor describes the format.
    codec: a JavaScript file beside the profile that decodes the bytes, empty without; whoever runs it hands
    what it returns to `read`. downlinks: how commands are said, by name. ignores: what the profile knows and
    asks nothing of. source: its own text.
    """

    name: str
    title: Text
    vendor: str
    model: str
    documented: str
    codec: str
    message: MessagePaths
    layouts: tuple[PayloadLayout, ...]
    readings: tuple[ProfileReading, ...]
    downlinks: Mapping[str, ProfileDownlink]
    ignores: tuple[ValuePath, ...]
    examples: tuple[Example, ...]
    source: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the devices that its messages are of, in the order of its readings."""
        return tuple(dict.fromkeys(reading.kind.name for reading in self.readings))

    def uplink(self, document: bytes, topic: str = "", device: str = "") -> Uplink:
        """Return what a plain JSON message says of its device; `device` where it does not name it.

        Raises:
            Unreadable: it is no JSON, or neither it nor its topic nor the caller names the device.
        """
        return self.message.uplink(document, topic, device)

    def read(
        self,
        uplink: Uplink,
        decoded: Mapping[str, object] | None = None,
        attributes: Attributes | None = None,
        topic: str = "",
    ) -> Result:
        """Return the readings of a message, and what was left of it.

        Args:
            decoded: what the profile's codec made of the bytes; then its layouts are not asked.
            attributes: of the device, for the geometry of its container; defaults are the kind's.

        Raises:
            NoReading: not one measurement results; what the source says of the radio does not count.
        """
        problems: list[Remark] = []
        values, known = self._values(uplink, decoded, problems)
        reader = _Reader(self, uplink, values, topic, attributes or {}, problems)
        for reading in self.readings:
            reader.add(reading)
        return reader.result(known)

    def _values(
        self, uplink: Uplink, decoded: Mapping[str, object] | None, problems: list[Remark]
    ) -> tuple[Mapping[str, object], str]:
        """Return the values to read, and what the message is known to be where it holds none."""
        if decoded is not None:
            return decoded, ""
        if self.layouts and uplink.payload is not None:
            layout = choose(self.layouts, uplink.payload, uplink.port)
            if layout is not None:
                return layout.read(uplink.payload, problems), layout.says
            if not uplink.values:
                why = none_fits(self.layouts, uplink.payload, uplink.port)
                problems.append(Remark(where="payload", value=uplink.payload, why=why))
        return uplink.values, ""


class _Reader:
    """One message while it is read."""

    def __init__(
        self,
        profile: Profile,
        uplink: Uplink,
        values: Mapping[str, object],
        topic: str,
        attributes: Attributes,
        problems: list[Remark],
    ) -> None:
        self._profile, self._uplink, self._document, self._attributes = profile, uplink, values, attributes
        self._around: dict[str, object] = {
            "$": values, "$radio": uplink.radio, "$port": uplink.port, "$counter": uplink.counter,
            "$device": uplink.device, "$topic": topic.split("/") if topic else [],
        }  # fmt: skip
        self._used: set[Steps] = set()
        self._elements: list[dict[str, object]] = []
        self._problems, self._absent = problems, list[Remark]()

    def add(self, reading: ProfileReading) -> None:
        """Add what one reading of the profile finds."""
        if reading.each is None:
            self._one(reading, self._document, ())
            return
        entries, steps = reading.each.find(self._document, self._around)
        if isinstance(entries, NoValue):
            return
        if not isinstance(entries, list | tuple):
            self._problem(steps, entries, "not a list, whose entries are a reading each")
            return
        if len(entries) > _MOST_ENTRIES:
            self._problem(steps, len(entries), f"only the first {_MOST_ENTRIES} entries are read")
        for position, entry in enumerate(entries[:_MOST_ENTRIES]):
            self._one(reading, entry, (*_local(steps), position))

    def result(self, known: str) -> Result:
        """Return what all readings found.

        Raises:
            NoReading: they found nothing.
        """
        result = Result(
            elements=tuple(self._elements),
            problems=tuple(self._problems),
            absent=tuple(self._absent),
            find_unread=self._unread,
        )
        if not result.elements:
            raise NoReading(_reason(self._profile.name, known, result), result)
        return result

    def _one(self, reading: ProfileReading, values: object, base: Steps) -> None:
        measured: dict[str, object] = {}
        attributes = self._attributes_of(reading.kind)
        for value in reading.values:
            self._measure(value, values, base, measured, attributes)
        if not any(value is not None for value in measured.values()):
            return
        element: dict[str, object] = {"kind": reading.kind.name}
        device = self._device(reading, values, base)
        if device is None:
            return
        element["device"] = device
        at = self._instant(reading.at, values, base)
        if at is not None:
            element["ts"] = at
        for name, path, default in (("boot", reading.boot, None), ("seq", reading.seq, self._uplink.counter)):
            number = self._counter(path, default, values, base)
            if number is not None:
                element[name] = number
        self._elements.append(element | self._radio(reading.kind, measured) | measured)

    def _measure(
        self, value: Value, values: object, base: Steps, measured: dict[str, object], attributes: Attributes
    ) -> None:
        name = value.measurement.name
        for path in value.paths:
            raw, steps = self._find(path, values, base)
            if isinstance(raw, NoValue) or measured.get(name) is not None:
                continue
            try:
                units = self._uplink.units
                unit = units.get(written(_local(steps))) if units else None
                measured[name] = value.convert(raw, self._uplink.counter, attributes, unit)
            except NotMeasured as said:
                measured.setdefault(name, None)
                self._absent.append(Remark(where=written(steps), value=raw, why=f"{name}: {said}"))
            except BadValue as error:
                self._problem(steps, raw, f"{name}: {error}")

    def _attributes_of(self, kind: Kind) -> Attributes:
        return {a.name: a.default for a in kind.attributes if a.default is not None} | dict(self._attributes)

    def _radio(self, kind: Kind, measured: Mapping[str, object]) -> dict[str, object]:
        """Return what the source says of the radio and the kind stores, beside what was measured."""
        return {
            m.name: self._uplink.radio[m.name]
            for m in kind.measurements
            if m.name in self._uplink.radio
            and m.name not in measured
            and m.type is ValueType.NUMBER
            and isinstance(self._uplink.radio[m.name], int | float)
        }

    def _device(self, reading: ProfileReading, values: object, base: Steps) -> str | None:
        parts: list[str] = []
        for part in reading.device:
            if isinstance(part, str):
                parts.append(part)
                continue
            found, _ = self._find(part, values, base)
            parts.append("" if isinstance(found, NoValue) else str(found))
        name = "".join(parts)
        if DEVICE.fullmatch(name):
            return name
        where = "".join(p if isinstance(p, str) else f"{{{p.text}}}" for p in reading.device)
        self._problems.append(
            Remark(where=where, value=name, why="not the name of a device: 1 to 64 of A-Z a-z 0-9 _.:-")
        )
        return None

    def _instant(self, path: ValuePath | None, values: object, base: Steps) -> int | None:
        if path is None:
            return self._uplink.at
        raw, steps = self._find(path, values, base)
        if isinstance(raw, NoValue) or raw is None:
            return self._uplink.at
        try:
            return instants.parse(raw if isinstance(raw, int | float) else str(raw))
        except instants.BadTime as error:
            self._problem(steps, raw, f"no time: {error}; the message's own is taken")
            return self._uplink.at

    def _counter(
        self, path: ValuePath | None, default: int | None, values: object, base: Steps
    ) -> int | None:
        if path is None:
            return default
        raw, steps = self._find(path, values, base)
        if isinstance(raw, NoValue) or raw is None:
            return default
        if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 2**63:
            return raw
        self._problem(steps, raw, "no counter: a whole number, 0 or more")
        return default

    def _find(self, path: ValuePath, values: object, base: Steps) -> tuple[object, Steps]:
        raw, steps = path.find(values, self._around)
        if raw is MISSING:
            return MISSING, ()
        if not str(steps[0]).startswith("$"):
            steps = (*base, *steps)
        self._used.add(_local(steps))
        return raw, steps

    def _problem(self, steps: Steps, value: object, why: str) -> None:
        self._problems.append(Remark(where=written(steps), value=value, why=why))

    def _unread(self) -> Iterable[Remark]:
        if not self._document:
            return
        used = set(self._used)
        for path in (*self._profile.ignores, *self._profile.message.paths):
            found, steps = path.find(self._document, self._around)
            if found is not MISSING:
                used.add(_local(steps))
        for count, (steps, value) in enumerate(leaves(self._document)):
            if count >= MOST_LEAVES:
                yield Remark(
                    where="and more", value="", why=f"only {MOST_LEAVES} values of a message are listed"
                )
                return
            if not any(steps[: i + 1] in used for i in range(len(steps))):
                yield Remark(where=written(steps), value=value, why="nothing in the profile asks for it")


def _local(steps: Steps) -> Steps:
    return steps[1:] if steps and steps[0] == "$" else steps


def _reason(profile: str, known: str, result: Result) -> str:
    """Say why there is no reading, by what was found instead."""
    if known:
        return f"profile {profile}: the message is {known} and holds no measurement"
    found = [
        f"{said}: {listed(told)}"
        for said, told in (("", result.problems), ("not measured", result.absent), ("unread", result.unread))
        if told
    ]
    text = (
        "; ".join(part.removeprefix(": ") for part in found)
        or "nothing that the profile asks for is in the message"
    )
    return f"profile {profile}: no measurement results; {text}"


def differences(example: Example, result: Result | NoReading) -> Sequence[str]:
    """Return how a result is not what its example says, one sentence for each difference."""
    elements = result.elements if isinstance(result, Result) else ()
    if len(elements) != len(example.gives):
        why = f": {result}" if isinstance(result, NoReading) else ""
        return [f"gives {len(elements)} readings, not {len(example.gives)}{why}"]
    said: list[str] = []
    for element, expected in zip(elements, example.gives, strict=True):
        own: dict[str, Any] = {"device": example.uplink.device, **dict(expected)}
        left = {"ts", "seq", "boot", "kind"} - own.keys()
        for name in sorted((element.keys() | own.keys()) - left):
            got, wanted = element.get(name), own.get(name)
            if got != wanted:
                said.append(f"{name} is {shown(got)}, not {shown(wanted)}")
    return said
