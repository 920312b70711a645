"""Which device a topic or a relayed element belongs to, by a snapshot of the registry.

Pure: a new snapshot makes a new Directory. Must not know payloads or the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.kinds import Kinds
from devices.kinds.kind import INTERVAL, MERGE
from devices.registry.columns import DeviceColumns, columns_of
from devices.registry.registry import Device, Registry
from devices.wire import Reason
from devices.wire.topics import GATEWAY, HAND, PREFIX, BadTopic, Channel, Topic, device_level, parse
from ingest.broker.topics import Topics

_MOST_KNOWN = 50_000
"""Most topics of which all is kept in memory: clients may publish on any."""
REPLACED = "replaced: "
"""How the detail of a rejection begins whose sender was replaced by other hardware."""
_TELEMETRY = f"/{Channel.TELEMETRY}"
_OTHER = ("", "", "")
"""A topic of another channel, cut."""
_NOWHERE, _UNASKED = -2, -2


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """What the topics of n messages resolve to.

    device_id: (n,) int32, -1 where nothing is registered. plain_kind: (n,) int32, the place of the kind among
    those of the directory; -1 of what is not plain.
    resolve: returns all of what a topic resolves to. instead: by message, what stands for it.
    """

    device_id: NDArray[np.int32]
    plain_kind: NDArray[np.int32]
    topics: Sequence[str]
    resolve: Callable[[str], TopicSource]
    instead: Mapping[int, TopicSource] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.topics)

    def __getitem__(self, message: int) -> TopicSource:
        return self.instead.get(message) or self.resolve(self.topics[message])

    def __iter__(self) -> Iterator[TopicSource]:
        return map(self.__getitem__, range(len(self)))

    def but(self, instead: Mapping[int, TopicSource]) -> Sources:
        """Return the same, other sources standing for some messages, none of them plain."""
        plain_kind = self.plain_kind.copy()
        plain_kind[list(instead)] = -1
        return replace(self, plain_kind=plain_kind, instead={**self.instead, **instead})


class _Places:
    """Which devices are where topics say, by levels of the topic and row; ids: by row."""

    def __init__(self, registry: Registry, columns: DeviceColumns, kinds: Sequence[str]) -> None:
        own = columns.kinds
        numbers = columns.municipality_id * len(own) + columns.kind
        places = np.array([kinds.index(kind) if kind in kinds else -1 for kind in own], dtype=np.int32)
        # The last of every array is of no device.
        self.ids = np.append(columns.ids, np.int32(-1))
        self._numbers = np.append(np.where(columns.retired, -1, numbers), -1)
        self._kinds = np.append(places[columns.kind], np.int32(-1))
        self._rows, self._renamed = columns.rows, columns.renamed
        self._by_levels = {
            f"{PREFIX}/{town.name}/{kind}": town.id * len(own) + number
            for town in registry.municipalities.values()
            for number, kind in enumerate(own)
        }

    def holds(self, levels: str, row: int) -> bool:
        """Tell whether topics with these levels mean where the device is, and it is not retired."""
        return bool(self._numbers[row] == self._by_levels.get(levels, _NOWHERE))

    def plain(self, topics: Iterable[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the devices whose telemetry n topics are, (n,), and the places of their kinds, (n,).

        Both are -1 of all other topics, and where hardware calls itself otherwise than its place is called.
        """
        cut = [
            topic[: -len(_TELEMETRY)].rpartition("/") if topic.endswith(_TELEMETRY) else _OTHER
            for topic in topics
        ]
        row_of, number_of = self._rows.get, self._by_levels.get
        row = np.array([row_of(wire, -1) for _, _, wire in cut], dtype=np.intp)
        if self._renamed:
            row[[wire in self._renamed for _, _, wire in cut]] = -1
            row[np.isin(row, list(self._renamed.values()))] = -1
        number = np.array([number_of(levels, _NOWHERE) for levels, _, _ in cut], dtype=np.int64)
        row[self._numbers[row] != number] = -1
        row[self._kinds[row] < 0] = -1
        return self.ids[row], self._kinds[row]


class _Numbered:
    """What the topics of a session's table resolve to, by number, as far as anybody has asked."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.device_id = np.full(1, -1, dtype=np.int32)
        self.plain_kind = np.full(1, _UNASKED, dtype=np.int32)

    def reach(self) -> None:
        """Make room for all topics that the table has now."""
        if (more := len(self.names) - len(self.plain_kind)) > 0:
            more = max(more, len(self.plain_kind))
            self.device_id = np.append(self.device_id, np.full(more, -1, dtype=np.int32))
            self.plain_kind = np.append(self.plain_kind, np.full(more, _UNASKED, dtype=np.int32))


class Directory:
    """Resolves topics, once each, and returns attributes of devices as arrays."""

    def __init__(self, registry: Registry, kinds: Kinds) -> None:
        self.registry = registry
        self.kinds = kinds
        self.registers_unknown = any(m.register_unknown for m in registry.municipalities.values())
        self.columns = columns_of(registry)
        self._renamed = {row: wire for wire, row in self.columns.renamed.items()}
        self._kinds = list(kinds)
        self._places = _Places(registry, self.columns, self._kinds)
        self._numbered = _Numbered(())
        self._known: dict[str, TopicSource] = {}
        self._learning = Lock()
        # No Sources, which refer to this: such a circle the garbage collector would never look at.
        self._last: tuple[Sequence[str], NDArray[np.int32], NDArray[np.int32]] | None = None
        self._attributes: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._own_interval_s: dict[str, NDArray[np.float64]] = {}
        self._merging: dict[str, NDArray[np.bool_] | None] = {}

    def sources(self, topics: Sequence[str]) -> Sources:
        """Return what each topic resolves to.

        The same topics are asked for twice in a row, by the quotas and by whoever decides.
        """
        last = self._last  # once: another thread may resolve others meanwhile
        if last is None or last[0] is not topics:
            with self._learning:
                self._last = last = (topics, *self._resolved(topics))
        _, device_id, plain_kind = last
        return Sources(device_id=device_id, plain_kind=plain_kind, topics=topics, resolve=self.source)

    def source(self, topic: str) -> TopicSource:
        """Return what a topic resolves to."""
        found = self._known.get(topic)
        if found is None:
            found = self._resolve(topic)
            # A topic that is none may be long, and no two alike.
            if found.refusal is not Reason.BAD_TOPIC:
                if len(self._known) >= _MOST_KNOWN:
                    self._known = {}
                self._known[topic] = found
        return found

    def _resolved(self, topics: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return devices and kinds as Sources has them, asking for each number of a table once."""
        if not isinstance(topics, Topics):
            return self._resolved_each(topics)
        names, number = topics.names, topics.number
        if self._numbered.names is not names:
            self._numbered = _Numbered(names)
        known = self._numbered
        known.reach()
        new = np.unique(number[(known.plain_kind[number] == _UNASKED) & (number >= 0)])
        if len(new):
            found = self._resolved_each([names[one] for one in new.tolist()])
            known.device_id[new], known.plain_kind[new] = found
        device_id, plain_kind = known.device_id[number], known.plain_kind[number]
        if unnumbered := topics.unnumbered:
            found = self._resolved_each(list(unnumbered.values()))
            device_id[list(unnumbered)], plain_kind[list(unnumbered)] = found
        return device_id, plain_kind

    def _resolved_each(self, topics: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        device_id, plain_kind = self._places.plain(topics)
        for one in np.flatnonzero(plain_kind < 0).tolist():
            source = self.source(topics[one])
            device_id[one] = source.device_id
            if source.plain:
                plain_kind[one] = self._kinds.index(source.kind)
        return device_id, plain_kind

    def _row(self, wire: str) -> int | None:
        """Return the row of the device whose hardware calls itself so."""
        columns = self.columns
        row = columns.renamed.get(wire)
        if row is None:
            row = columns.rows.get(wire)
            return None if row in self._renamed else row
        return row

    def _name(self, row: int, wire: str) -> str:
        return self._device(row).name if row in self._renamed else wire

    def _device(self, row: int) -> Device:
        return self.registry.devices[int(self._places.ids[row])]

    def _resolve(self, text: str) -> TopicSource:
        try:
            topic = parse(text)
        except BadTopic as error:
            # The device level, if there is one, still names the device for the operator.
            return TopicSource(
                topic=None, name=device_level(text), refusal=Reason.BAD_TOPIC, detail=str(error)
            )
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
        row = self._row(name)
        if row is None and name in self.registry.removed:
            detail = f"{REPLACED}it was taken from {self.registry.removed[name]}"
            return _refused(topic, name, Reason.UNKNOWN_DEVICE, detail)
        if row is None and name in self.registry.banned:
            return _refused(topic, name, Reason.UNKNOWN_DEVICE, f"{name} is banned")
        if row is None:
            return TopicSource(
                topic=topic,
                name=name,
                kind=kind,
                refusal=Reason.UNKNOWN_DEVICE,
                detail=f"{name} is not registered",
                unregistered=municipality.register_unknown and kind != GATEWAY,
            )
        if not self._places.holds(f"{PREFIX}/{topic.municipality}/{kind}", row):
            return _not_there(topic, name, self._device(row))
        return TopicSource(
            topic=topic,
            name=self._name(row, name),
            kind=kind,
            device_id=int(self._places.ids[row]),
            plain=topic.channel is Channel.TELEMETRY and kind != GATEWAY,
        )

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
        row = self._row(name)
        if row is None or gateway.by_hand or gateway.name in self.columns.relays.get(row, ()):
            return None
        if self._name(row, name) == gateway.name:
            return None
        detail = f"{name} is not registered behind gateway {gateway.name}"
        return _refused(gateway.topic, gateway.name, Reason.NOT_YOUR_DEVICE, detail)

    def attributes(self, kind: str, names: tuple[str, ...]) -> Mapping[str, NDArray[np.float64]]:
        """Return numeric attributes indexed by device id, NaN where there is neither value nor default."""
        missing = {name: self._default(kind, name) for name in names if (kind, name) not in self._attributes}
        if missing:
            self._attributes |= {(kind, name): known for name, known in self._told(kind, missing).items()}
        return {name: self._attributes[kind, name] for name in names}

    def _default(self, kind: str, name: str) -> float:
        return _number(next((a.default for a in self.kinds[kind].attributes if a.name == name), None))

    def own_interval_s(self, kind: str) -> NDArray[np.float64]:
        """Return the interval that each device's attributes name, indexed by device id; NaN where none."""
        own = self._own_interval_s.get(kind)
        if own is None:
            own = self._told(kind, {INTERVAL: np.nan})[INTERVAL]
            self._own_interval_s[kind] = own = np.where(own > 0, own, np.nan)
        return own

    def _told(self, kind: str, defaults: Mapping[str, float]) -> dict[str, NDArray[np.float64]]:
        """Return attributes by device id, the default where devices of the kind do not have one.

        What a device's attributes say is read once for all of them.
        """
        columns = self.columns
        rows = columns.of_kind(kind)
        found = {}
        for name, values in columns.attributes(defaults, rows).items():
            known = np.full(columns.id_bound, defaults[name])
            known[columns.ids[rows]] = [defaults[name] if one is None else _number(one) for one in values]
            found[name] = known
        return found

    def merging(self, kind: str) -> NDArray[np.bool_] | None:
        """Return whose readings may come in parts, indexed by device id; None where nobody's of a kind do."""
        if kind not in self._merging:
            merging = self._told(kind, {MERGE: float(self.kinds[kind].merge)})[MERGE] == 1
            self._merging[kind] = merging if merging.any() else None
        return self._merging[kind]

    def replaced_since(self, before: Directory) -> list[int]:
        """Return the devices at which other hardware stands than in an older directory."""
        columns, known = self.columns, before.columns
        again = np.flatnonzero(columns.replaced)
        was = known.find(columns.ids[again])
        again, was = again[was >= 0], was[was >= 0]
        found: list[int] = columns.ids[again[columns.replaced[again] != known.replaced[was]]].tolist()
        return found

    def name_of(self, wire: str) -> str:
        """Return the place at which hardware stands; a stranger is called as it is."""
        row = self._row(wire)
        return wire if row is None else self._name(row, wire)

    def wire_of(self, name: str) -> str:
        """Return what the hardware of a place calls itself on the wire; a stranger is called as it is."""
        row = self.columns.rows.get(name)
        return name if row is None else self._renamed.get(row, name)

    def device(self, device_id: int) -> Device:
        """Return a registered device by its id."""
        return self.registry.devices[device_id]


def _not_there(topic: Topic, name: str, device: Device) -> TopicSource:
    """Return why a registered device is not heard on a topic."""
    if device.retired_at is not None:
        return _refused(topic, device.name, Reason.UNKNOWN_DEVICE, f"retired: {device.retired_reason}")
    detail = f"{name} is a {device.kind} of {device.municipality}"
    return _refused(topic, device.name, Reason.MISPLACED, detail)


def _hand(topic: Topic) -> TopicSource:
    if topic.channel is not Channel.TELEMETRY:
        return _refused(topic, HAND, Reason.BAD_TOPIC, f"{HAND} relays readings and nothing else")
    return TopicSource(topic=topic, name=HAND, kind=GATEWAY)


def _refused(topic: Topic | None, name: str, reason: Reason, detail: str) -> TopicSource:
    return TopicSource(topic=topic, name=name, refusal=reason, detail=detail)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan
