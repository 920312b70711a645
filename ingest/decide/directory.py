"""Which device a topic or a relayed element belongs to, by a snapshot of the registry.

Pure: a new snapshot makes a new Directory. Must not know payloads or the database.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.kinds import Kinds
from devices.kinds.kind import INTERVAL, MERGE
from devices.registry.columns import DeviceColumns, columns_of
from devices.registry.registry import Device, Registry
from devices.wire import Reason
from devices.wire.topics import GATEWAY, HAND, PREFIX, BadTopic, Channel, Topic, parse
from ingest.broker.topics import Topics

_MOST_TOPICS = 200_000
"""Most resolved topics in memory: clients may publish on any, and one takes as much as a device does."""
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """What the topics of n messages resolve to, each by its index.

    device_id: (n,) int32, -1 where nothing is registered. plain_kind: (n,) int32, the place of the kind among
    those of the directory; -1 of what is not plain.
    known, place: what topics resolved to, and (n,) which of these is each message's. instead: by message,
    what stands for it.
    """

    device_id: NDArray[np.int32]
    plain_kind: NDArray[np.int32]
    known: Sequence[TopicSource]
    place: NDArray[np.int32]
    instead: Mapping[int, TopicSource]

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, message: int) -> TopicSource:
        return self.instead.get(message) or self.known[self.place[message]]

    def __iter__(self) -> Iterator[TopicSource]:
        return map(self.__getitem__, range(len(self)))

    def but(self, instead: Mapping[int, TopicSource]) -> Sources:
        """Return the same, other sources standing for some messages, none of them plain."""
        plain_kind = self.plain_kind.copy()
        plain_kind[list(instead)] = -1
        return replace(self, plain_kind=plain_kind, instead={**self.instead, **instead})


class _Place(msgspec.Struct, frozen=True):
    """A kind's devices in a municipality, and the number of that."""

    number: int
    municipality: str
    kind: str


class _Places:
    """Tells whether devices belong where topics say, by levels of the topic and row; ids: by row."""

    def __init__(self, registry: Registry, columns: DeviceColumns) -> None:
        kinds = columns.kinds
        numbers = columns.municipality_id * len(kinds) + columns.kind
        # A view gives plain numbers, one at a time, faster than the array does.
        self.ids = columns.ids.data
        self._numbers = np.where(columns.retired, -1, numbers).data
        self._by_levels = {
            f"{PREFIX}/{town.name}/{kind}": _Place(town.id * len(kinds) + number, town.name, kind)
            for town in registry.municipalities.values()
            for number, kind in enumerate(kinds)
        }

    def at(self, levels: str, row: int) -> _Place | None:
        """Return the place that topics with these levels mean, if the device is there and not retired."""
        place = self._by_levels.get(levels)
        return place if place is not None and self._numbers[row] == place.number else None


class _KnownTopics:
    """Topics that were resolved, and where each is among them. Only grows, so what was made stays right."""

    NOWHERE = 0
    """The place of what is not kept: such a topic may be long, and no two alike."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.known: list[TopicSource] = []
        self.places: dict[str, int] = {}
        self._device_ids, self._plain_kinds = array("i"), array("i")
        self._kinds = {kind: number for number, kind in enumerate(kinds)}
        self._table: Sequence[str] = ()
        self._by_number = np.empty(0, dtype=np.int32)
        self._append(TopicSource(topic=None, name="", refusal=Reason.BAD_TOPIC))

    def add(self, topic: str, source: TopicSource) -> int:
        """Keep what a topic resolved to, unless it is none; return its place."""
        if source.refusal is Reason.BAD_TOPIC:
            return self.NOWHERE
        self._append(source)
        place = self.places[topic] = len(self.known) - 1
        return place

    def _append(self, source: TopicSource) -> None:
        self._device_ids.append(source.device_id)
        self._plain_kinds.append(self._kinds[source.kind] if source.plain else -1)
        self.known.append(source)

    def by_number(self, table: Sequence[str]) -> NDArray[np.int32]:
        """Return the places of a session's topics, to be filled: -1 of those that nobody asked for yet."""
        if self._table is not table:
            self._table, self._by_number = table, np.empty(0, dtype=np.int32)
        if (more := len(table) - len(self._by_number)) > 0:
            more = max(more, len(self._by_number))
            self._by_number = np.append(self._by_number, np.full(more, -1, dtype=np.int32))
        return self._by_number[: len(table)]

    def sources(self, places: NDArray[np.int32], instead: Mapping[int, TopicSource]) -> Sources:
        """Return what messages resolve to whose topics have these places."""
        return Sources(
            device_id=np.frombuffer(self._device_ids, dtype=np.int32)[places],
            plain_kind=np.frombuffer(self._plain_kinds, dtype=np.int32)[places],
            known=self.known,
            place=places,
            instead=instead,
        )


class Directory:
    """Resolves topics, once each, and returns attributes of devices as arrays."""

    def __init__(self, registry: Registry, kinds: Kinds) -> None:
        self.registry = registry
        self.kinds = kinds
        self.registers_unknown = any(m.register_unknown for m in registry.municipalities.values())
        self.columns = columns_of(registry)
        self._renamed = {row: wire for wire, row in self.columns.renamed.items()}
        self._places = _Places(registry, self.columns)
        self._topics = _KnownTopics(list(kinds))
        self._learning = Lock()
        self._last: tuple[Sequence[str], Sources] | None = None
        self._attributes: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._own_interval_s: dict[str, NDArray[np.float64]] = {}
        self._merging: dict[str, NDArray[np.bool_] | None] = {}

    def sources(self, topics: Sequence[str]) -> Sources:
        """Return what each topic resolves to.

        The same topics are asked for twice in a row, by the quotas and by whoever decides.
        """
        last = self._last  # once: another thread may resolve others meanwhile
        if last is not None and last[0] is topics:
            return last[1]
        with self._learning:
            found = self._of_numbered(topics) if isinstance(topics, Topics) else self._of_any(topics)
        self._last = topics, found
        return found

    def source(self, topic: str) -> TopicSource:
        """Return what a topic resolves to."""
        with self._learning:
            return self._of_any([topic])[0]

    def _of_numbered(self, topics: Topics) -> Sources:
        """Resolve what nobody has asked for by its number yet."""
        names, number = topics.names, topics.number
        places = self._topics.by_number(names)
        new = np.unique(number[np.append(places, 0)[number] < 0])
        if self._make_room([*(names[one] for one in new.tolist()), *topics.unnumbered.values()]):
            places = self._topics.by_number(names)
            new = np.unique(number[number >= 0])
        places[new] = [self._place(names[one]) for one in new.tolist()]
        found = np.append(places, np.int32(_KnownTopics.NOWHERE))[number]
        for message, topic in topics.unnumbered.items():
            found[message] = self._place(topic)
        return self._found(topics, found)

    def _of_any(self, topics: Sequence[str]) -> Sources:
        self._make_room(set(topics))
        return self._found(topics, np.array([self._place(topic) for topic in topics], dtype=np.int32))

    def _make_room(self, topics: Collection[str]) -> bool:
        """Forget all topics where these are too many more; tell whether it was so."""
        room = _MOST_TOPICS - len(self._topics.places)
        if len(topics) <= room or sum(topic not in self._topics.places for topic in topics) <= room:
            return False
        self._topics = _KnownTopics(list(self.kinds))
        return True

    def _found(self, topics: Sequence[str], places: NDArray[np.int32]) -> Sources:
        nowhere = np.flatnonzero(places == _KnownTopics.NOWHERE).tolist()
        return self._topics.sources(places, {message: self._resolve(topics[message]) for message in nowhere})

    def _place(self, topic: str) -> int:
        place = self._topics.places.get(topic)
        return self._topics.add(topic, self._resolve(topic)) if place is None else place

    def _resolve(self, text: str) -> TopicSource:
        return self._resolve_known(text) or self._resolve_any(text)

    def _resolve_known(self, text: str) -> TopicSource | None:
        """Return the source of a registered device's telemetry without parsing the topic; else None."""
        if not text.endswith(_TELEMETRY):
            return None
        above, _, wire = text[: -len(_TELEMETRY)].rpartition("/")
        row = self._row(wire)
        if row is None or (place := self._places.at(above, row)) is None or place.kind not in self.kinds:
            return None
        topic = Topic(place.municipality, place.kind, wire, Channel.TELEMETRY)
        return TopicSource(
            topic=topic,
            name=self._name(row, wire),
            kind=place.kind,
            device_id=self._places.ids[row],
            plain=True,
        )

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
        return self.registry.devices[self._places.ids[row]]

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
        if self._places.at(f"{PREFIX}/{topic.municipality}/{kind}", row) is None:
            return _not_there(topic, name, self._device(row))
        return TopicSource(
            topic=topic,
            name=self._name(row, name),
            kind=kind,
            device_id=self._places.ids[row],
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
