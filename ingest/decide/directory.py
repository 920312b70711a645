"""Which device a topic or a relayed element belongs to, by a snapshot of the registry.

Pure: a new snapshot makes a new Directory. Must not know payloads, a broker or the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.kinds import Kinds
from devices.kinds.kind import MERGE
from devices.registry.registry import Device, Registry
from devices.wire import Reason
from devices.wire.topics import GATEWAY, HAND, PREFIX, BadTopic, Channel, Topic, parse

_MOST_TOPICS = 1_000_000
"""Most resolved topics in memory: their number must be bounded, as clients may publish on any topic."""
REPLACED = "replaced: "
"""How the detail of a rejection begins whose sender was replaced by other hardware."""
_TELEMETRY = f"/{Channel.TELEMETRY}"


class TopicSource(msgspec.Struct, frozen=True, kw_only=True):
    """What one topic resolves to: a registered device, or the reason of the rejection.

    `unregistered` is set where the municipality registers unknown devices with their first message; `plain`
    for telemetry that a registered device publishes itself, as nearly every message is.
    """

    topic: Topic | None
    name: str
    kind: str = ""
    device_id: int = -1
    refusal: Reason | None = None
    detail: str = ""
    unregistered: bool = False
    plain: bool = False

    @property
    def relays(self) -> bool:
        """Tell whether elements on this topic name their own device."""
        return self.kind == GATEWAY

    @property
    def by_hand(self) -> bool:
        """Tell whether people say what comes: of any device of the municipality, by our own clocks."""
        return self.relays and self.name == HAND


class Directory:
    """Resolves topics, once each, and returns attributes of devices as arrays."""

    def __init__(self, registry: Registry, kinds: Kinds) -> None:
        self.registry = registry
        self.kinds = kinds
        self.registers_unknown = any(m.register_unknown for m in registry.municipalities.values())
        self._by_wire = {device.wire: device for device in registry.devices.values()}
        self._sources: dict[str, TopicSource] = {}
        self._last: tuple[Sequence[str], list[TopicSource]] | None = None
        self._attributes: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._merging: dict[str, NDArray[np.bool_] | None] = {}

    def sources(self, topics: Sequence[str]) -> list[TopicSource]:
        """Return what each topic resolves to, a list of the caller's own.

        The same topics are asked for twice in a row, by the quotas and by whoever decides.
        """
        last, known = self._last, self._sources
        if last is not None and last[0] is topics:
            return last[1].copy()
        try:
            found = [known[topic] for topic in topics]
        except KeyError:
            found = list(map(self.source, topics))
        self._last = topics, found
        return found.copy()

    def source(self, topic: str) -> TopicSource:
        """Return what a topic resolves to, from memory if it was resolved before."""
        found = self._sources.get(topic)
        if found is None:
            found = self._resolve(topic)
            if len(self._sources) >= _MOST_TOPICS:
                self._sources.clear()
            if found.refusal is not Reason.BAD_TOPIC:  # such a topic may be long, and no two alike
                self._sources[topic] = found
        return found

    def _resolve(self, text: str) -> TopicSource:
        return self._resolve_known(text) or self._resolve_any(text)

    def _resolve_known(self, text: str) -> TopicSource | None:
        """Return the source of a registered device's telemetry without parsing the topic; else None."""
        device = self._by_wire.get(text[: -len(_TELEMETRY)].rpartition("/")[2])
        if device is None or device.retired_at is not None or device.kind not in self.kinds:
            return None
        if text != f"{PREFIX}/{device.municipality}/{device.kind}/{device.wire}{_TELEMETRY}":
            return None
        topic = Topic(device.municipality, device.kind, device.wire, Channel.TELEMETRY)
        return TopicSource(topic=topic, name=device.name, kind=device.kind, device_id=device.id, plain=True)

    def _resolve_any(self, text: str) -> TopicSource:
        try:
            topic = parse(text)
        except BadTopic as error:
            # The device level, if there is one, still names the device for the operator.
            level = (text.split("/") + [""] * 6)[4]
            return TopicSource(topic=None, name=level, refusal=Reason.BAD_TOPIC, detail=str(error))
        if topic.channel in (Channel.COMMAND, Channel.RECEIPT, Channel.CONFIG):
            detail = f"{topic.channel} is for the platform to send on"
            return TopicSource(topic=topic, name=topic.device, refusal=Reason.BAD_TOPIC, detail=detail)
        return self._find(topic, topic.kind, topic.device)

    def _find(self, topic: Topic, kind: str, name: str) -> TopicSource:
        municipality = self.registry.municipalities.get(topic.municipality)
        if municipality is None:
            return _refused(topic, name, Reason.UNKNOWN_MUNICIPALITY, topic.municipality)
        if (kind, name) == (GATEWAY, HAND):
            return _hand(topic)
        if kind not in self.kinds and kind != GATEWAY:
            return _refused(topic, name, Reason.UNKNOWN_KIND, kind)
        device = self._by_wire.get(name)
        if device is None and name in self.registry.removed:
            detail = f"{REPLACED}it was taken from {self.registry.removed[name]}"
            return _refused(topic, name, Reason.UNKNOWN_DEVICE, detail)
        if device is None and name in self.registry.banned:
            return _refused(topic, name, Reason.UNKNOWN_DEVICE, f"{name} is banned")
        if device is None:
            return TopicSource(
                topic=topic,
                name=name,
                kind=kind,
                refusal=Reason.UNKNOWN_DEVICE,
                detail=f"{name} is not registered",
                unregistered=municipality.register_unknown and kind != GATEWAY,
            )
        if device.retired_at is not None:
            return _refused(topic, device.name, Reason.UNKNOWN_DEVICE, f"retired: {device.retired_reason}")
        if (device.municipality, device.kind) != (topic.municipality, kind):
            detail = f"{name} is a {device.kind} of {device.municipality}"
            return _refused(topic, device.name, Reason.MISPLACED, detail)
        plain = topic.channel is Channel.TELEMETRY and kind != GATEWAY
        return TopicSource(topic=topic, name=device.name, kind=kind, device_id=device.id, plain=plain)

    def relayed(self, gateway: TopicSource, kind: str, name: str) -> TopicSource:
        """Return what a gateway's element resolves to; its device must be registered behind that gateway.

        What is said of another's device is the gateway's own mistake, and is not counted for the device.
        """
        assert gateway.topic is not None
        if kind == GATEWAY:
            return _refused(gateway.topic, name, Reason.NOT_YOUR_DEVICE, "a gateway relays no gateway")
        return self.not_behind(gateway, name) or self._find(gateway.topic, kind, name)

    def not_behind(self, gateway: TopicSource, name: str) -> TopicSource | None:
        """Return the gateway's refusal where a registered device is not behind it; else None."""
        device = self._by_wire.get(name)
        if device is None or device.name == gateway.name or gateway.name in device.relays or gateway.by_hand:
            return None
        detail = f"{name} is not registered behind gateway {gateway.name}"
        return _refused(gateway.topic, gateway.name, Reason.NOT_YOUR_DEVICE, detail)

    def attributes(self, kind: str, names: tuple[str, ...]) -> Mapping[str, NDArray[np.float64]]:
        """Return numeric attributes indexed by device id, NaN where there is neither value nor default."""
        return {name: self._attribute(kind, name) for name in names}

    def _attribute(self, kind: str, name: str, default: object = None) -> NDArray[np.float64]:
        known = self._attributes.get((kind, name))
        if known is None:
            default = next((a.default for a in self.kinds[kind].attributes if a.name == name), default)
            known = np.full(max(self.registry.devices, default=0) + 1, _number(default))
            for device in self.registry.devices.values():
                if device.kind == kind and name in device.attributes:
                    known[device.id] = _number(device.attributes[name])
            self._attributes[kind, name] = known
        return known

    def merging(self, kind: str) -> NDArray[np.bool_] | None:
        """Return whose readings may come in parts, indexed by device id; None where nobody's of a kind do."""
        if kind not in self._merging:
            merging = self._attribute(kind, MERGE, self.kinds[kind].merge) == 1
            self._merging[kind] = merging if merging.any() else None
        return self._merging[kind]

    def replaced_since(self, before: Directory) -> list[int]:
        """Return the devices at which other hardware stands than in an older directory."""
        known = before.registry.devices
        return [
            device.id
            for device in self.registry.devices.values()
            if device.replaced and device.id in known and known[device.id].replaced != device.replaced
        ]

    def name_of(self, wire: str) -> str:
        """Return the place at which hardware stands; a stranger is called as it is."""
        device = self._by_wire.get(wire)
        return wire if device is None else device.name

    def wire_of(self, name: str) -> str:
        """Return what the hardware of a place calls itself on the wire; a stranger is called as it is."""
        device = self.registry.by_name.get(name)
        return name if device is None else device.wire

    def device(self, device_id: int) -> Device:
        """Return a registered device by its id."""
        return self.registry.devices[device_id]


def _hand(topic: Topic) -> TopicSource:
    if topic.channel is not Channel.TELEMETRY:
        return _refused(topic, HAND, Reason.BAD_TOPIC, f"{HAND} relays readings and nothing else")
    return TopicSource(topic=topic, name=HAND, kind=GATEWAY)


def _refused(topic: Topic | None, name: str, reason: Reason, detail: str) -> TopicSource:
    return TopicSource(topic=topic, name=name, refusal=reason, detail=detail)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan
