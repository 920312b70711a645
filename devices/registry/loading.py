"""All that is registered, as a snapshot: columns and lines of text, of which a device is made when asked for.

A million devices are read in seconds and take a quarter of a kilobyte each. Must not know HTTP or MQTT.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import AsyncIterator, ItemsView, Iterator, Mapping, ValuesView
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.instants import rfc3339, to_datetime
from devices.registry.columns import DeviceColumns
from devices.registry.device import Device, Municipality, Registry
from devices.registry.life import NOT_YET
from store.connection import Connection
from store.copy import columns_of
from store.tables import ColumnType

_MUNICIPALITIES = """
SELECT id, name, title, time_zone, locale, weekend, lat, lon, register_unknown, shard
FROM municipality
ORDER BY name
"""


def municipality_of(row: asyncpg.Record) -> Municipality:
    """Build a municipality from a row with its columns."""
    return Municipality(**{**dict(row), "weekend": tuple(row["weekend"])})


async def list_municipalities(connection: Connection) -> list[Municipality]:
    """Return every municipality by name."""
    return [municipality_of(row) for row in await connection.fetch(_MUNICIPALITIES)]


_REMOVED = """
SELECT DISTINCT ON (hardware.wire_name) hardware.wire_name, device.name, hardware.removed_at
FROM hardware
INNER JOIN device ON hardware.device_id = device.id
WHERE hardware.removed_at IS NOT NULL
ORDER BY hardware.wire_name, hardware.removed_at DESC
"""


_BANNED = "SELECT name FROM banned_device"


async def load(connection: Connection) -> Registry:
    """Return a snapshot of the whole registry (two passes over the devices)."""
    async with _one_moment(connection):
        numbers, texts = await _columns(connection)
        # After the devices: within a transaction of others these may be of a municipality just registered.
        municipalities = {m.name: m for m in await list_municipalities(connection)}
        removed = await connection.fetch(_REMOVED)
        banned = await connection.fetch(_BANNED)
    devices = _loaded(numbers, texts, {m.id: m.name for m in municipalities.values()})
    return Registry(
        devices=devices,
        by_name=LoadedNames(devices),
        municipalities=municipalities,
        removed={row["wire_name"]: f"{row['name']} at {rfc3339(row['removed_at'])}" for row in removed},
        banned=frozenset(row["name"] for row in banned),
    )


@asynccontextmanager
async def _one_moment(connection: Connection) -> AsyncIterator[None]:
    """Let several statements see the same; within a transaction of others' they see what that one does."""
    if connection.is_in_transaction():
        yield
        return
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


# Columns of one width, none of them NULL: the answer is an array as it is.
_NUMBERS = """
SELECT
    d.id, d.municipality_id, coalesce(d.parent_id, -1), d.version, coalesce(h.number, 0),
    coalesce(d.lat, 'NaN'), coalesce(d.lon, 'NaN'), coalesce(d.installed_at, 'infinity'),
    coalesce(d.retired_at, 'infinity'), d.district_by_hand
FROM device AS d
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
ORDER BY d.id
"""
_TYPES: Final = {
    "id": ColumnType.INTEGER,
    "municipality_id": ColumnType.INTEGER,
    "parent_id": ColumnType.INTEGER,
    "version": ColumnType.INTEGER,
    "replaced": ColumnType.INTEGER,
    "lat": ColumnType.NUMBER,
    "lon": ColumnType.NUMBER,
    "installed_at": ColumnType.TIME,
    "retired_at": ColumnType.TIME,
    "by_hand": ColumnType.BOOLEAN,
}

_TEXTS = """
SELECT
    d.id, d.name, coalesce(h.wire_name, d.name), d.kind, d.attributes, coalesce(behind.relays, ''),
    g.name, d.title, d.titles, h.serial, d.retired_reason
FROM device AS d
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
LEFT JOIN (
    SELECT relay.device_id, string_agg(gateway.name, ',' ORDER BY gateway.name COLLATE "C") AS relays
    FROM relay
    INNER JOIN device AS gateway ON relay.gateway_id = gateway.id
    GROUP BY relay.device_id
) AS behind ON d.id = behind.device_id
ORDER BY d.id
"""
_LINES_AT_ONCE = 10_000


_ATTEMPTS = 3


async def _columns(connection: Connection) -> tuple[dict[str, NDArray[Any]], _Texts]:
    """Return numbers and texts of the same devices.

    In a transaction that sees what others commit meanwhile, the second answer may know more devices, which
    are left out, and lack some that were forgotten: then both are asked for again.

    Raises:
        RuntimeError: devices were forgotten each time.
    """
    for _ in range(_ATTEMPTS):
        texts = _texts(await _lines(connection))
        numbers = await columns_of(connection, _NUMBERS, types=_TYPES)
        if not np.array_equal(numbers["id"], texts.ids):
            known = np.isin(numbers["id"], texts.ids)
            numbers = {name: values[known] for name, values in numbers.items()}
        if len(numbers["id"]) == len(texts.ids):
            return numbers, texts
    raise RuntimeError("devices are being forgotten while they are read")


def _loaded(numbers: Mapping[str, NDArray[Any]], texts: _Texts, towns: Mapping[int, str]) -> LoadedDevices:
    columns = DeviceColumns(
        ids=numbers["id"],
        kinds=tuple(texts.kinds),
        kind=np.array(texts.kind, dtype=np.int32),
        municipality_id=numbers["municipality_id"],
        parent_id=numbers["parent_id"],
        lat=numbers["lat"],
        lon=numbers["lon"],
        installed_at=numbers["installed_at"],
        retired=numbers["retired_at"] != NOT_YET,
        replaced=numbers["replaced"],
        document=np.array(texts.document, dtype=np.int32),
        documents=tuple(texts.documents),
        relays=texts.relays,
        rows=texts.rows,
        renamed=texts.renamed,
    )
    return LoadedDevices(columns, numbers, texts.lines, texts.ends, towns)


async def _lines(connection: Connection) -> bytes:
    received: list[bytes] = []

    async def keep(data: bytes) -> None:
        received.append(data)

    await connection.copy_from_query(_TEXTS, output=keep, format="text")
    return b"".join(received)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """The lines of _TEXTS as they came; ends: (n,) where each ends. The rest as in DeviceColumns."""

    lines: bytes
    ends: NDArray[np.int64]
    ids: NDArray[np.int32]
    kinds: Mapping[str, int]
    kind: array[int]
    document: array[int]
    documents: Mapping[bytes, int]
    relays: Mapping[int, tuple[str, ...]]
    rows: Mapping[str, int]
    renamed: Mapping[str, int]


def _texts(lines: bytes) -> _Texts:
    ends = np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == ord("\n"))
    ids, kind, document = array("i"), array("i"), array("i")
    kinds: dict[str, int] = {}
    documents: dict[str, int] = {}
    relays: dict[int, tuple[str, ...]] = {}
    gateways: dict[str, tuple[str, ...]] = {}
    rows: dict[str, int] = {}
    renamed: dict[str, int] = {}
    start = row = 0
    for last in (*range(_LINES_AT_ONCE, len(ends), _LINES_AT_ONCE), len(ends)):
        if not len(ends):
            break
        stop = int(ends[last - 1])
        for line in lines[start:stop].decode().split("\n"):
            number, name, wire, is_of, attributes, behind, _ = line.split("\t", 6)
            ids.append(int(number))
            kind.append(kinds.setdefault(is_of, len(kinds)))
            document.append(documents.setdefault(attributes, len(documents)))
            rows[name] = row
            if wire != name:
                renamed[wire] = row
            if behind:
                relays[row] = gateways.setdefault(behind, tuple(behind.split(",")))
            row += 1
        start = stop + 1
    return _Texts(
        lines=lines,
        ends=ends,
        ids=np.array(ids, dtype=np.int32),
        kinds=kinds,
        kind=kind,
        document=document,
        documents={(_plain(text) or "{}").encode(): place for text, place in documents.items()},
        relays=relays,
        rows=rows,
        renamed=renamed,
    )


_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _plain(field: str) -> str | None:
    """Return what a field of COPY says, None for NULL."""
    if "\\" not in field:
        return field
    return None if field == r"\N" else _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), field)


class LoadedDevices(Mapping[int, Device]):
    """Devices by id, each made when it is asked for; `columns` has what is asked of all of them."""

    def __init__(
        self,
        columns: DeviceColumns,
        numbers: Mapping[str, NDArray[Any]],
        lines: bytes,
        ends: NDArray[np.int64],
        towns: Mapping[int, str],
    ) -> None:
        self.columns = columns
        self._lines, self._ends, self._towns = lines, ends, towns
        # What columns do not have.
        self._version, self._retired_at, self._by_hand = (
            numbers[name] for name in ("version", "retired_at", "by_hand")
        )

    def __len__(self) -> int:
        return len(self.columns.ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self.columns.ids.tolist())

    def __contains__(self, device_id: object) -> bool:
        return isinstance(device_id, int) and self._row(device_id) >= 0

    def __getitem__(self, device_id: int) -> Device:
        row = self._row(device_id)
        if row < 0:
            raise KeyError(device_id)
        return self.at(row)

    def values(self) -> ValuesView[Device]:
        """Return the devices one after the other, without a search for each."""
        return _Values(self)

    def items(self) -> ItemsView[int, Device]:
        """Return ids and devices in the same way."""
        return _Items(self)

    def _row(self, device_id: int) -> int:
        ids = self.columns.ids
        if not 0 <= device_id < self.columns.id_bound:
            return -1
        # A plain int would make numpy copy all ids to a wider type, for every device.
        row = int(ids.searchsorted(np.int32(device_id)))
        return row if row < len(ids) and ids[row] == device_id else -1

    def _line(self, row: int) -> list[str]:
        start = int(self._ends[row - 1]) + 1 if row else 0
        return self._lines[start : int(self._ends[row])].decode().split("\t")

    def at(self, row: int) -> Device:
        """Return the device of a row."""
        columns = self.columns
        _, name, wire, kind, _, _, *rest = self._line(row)
        district, title, titles, serial, reason = map(_plain, rest)
        town, parent = int(columns.municipality_id[row]), int(columns.parent_id[row])
        above = self._row(parent)
        lat, lon = float(columns.lat[row]), float(columns.lon[row])
        installed, retired = int(columns.installed_at[row]), int(self._retired_at[row])
        return Device(
            id=int(columns.ids[row]),
            name=name,
            kind=kind,
            municipality=self._towns[town],
            municipality_id=town,
            parent=None if above < 0 else self._line(above)[1],
            parent_id=None if above < 0 else parent,
            title=title or "",
            titles=msgspec.json.decode(titles or "{}"),
            lat=None if lat != lat else lat,
            lon=None if lon != lon else lon,
            attributes=msgspec.json.decode(columns.documents[columns.document[row]]),
            relays=columns.relays.get(row, ()),
            wire_name=wire,
            serial=serial,
            replaced=int(columns.replaced[row]),
            installed_at=None if installed == NOT_YET else to_datetime(installed),
            retired_at=None if retired == NOT_YET else to_datetime(retired),
            retired_reason=reason,
            version=int(self._version[row]),
            district=district,
            district_by_hand=bool(self._by_hand[row]),
        )


class _Values(ValuesView[Device]):
    _mapping: LoadedDevices

    def __iter__(self) -> Iterator[Device]:
        return map(self._mapping.at, range(len(self._mapping)))


class _Items(ItemsView[int, Device]):
    _mapping: LoadedDevices

    def __iter__(self) -> Iterator[tuple[int, Device]]:
        return zip(self._mapping, self._mapping.values(), strict=True)


class LoadedNames(Mapping[str, Device]):
    """The same devices by name."""

    def __init__(self, devices: LoadedDevices) -> None:
        self._devices = devices

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices.columns.rows)

    def __contains__(self, name: object) -> bool:
        return name in self._devices.columns.rows

    def __getitem__(self, name: str) -> Device:
        return self._devices.at(self._devices.columns.rows[name])
