"""Devices in columns: what is asked of a whole fleet at once, without an object for each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.registry.device import Device, Registry
from devices.registry.life import counts_from


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceColumns:
    """n devices, ascending by id; retired ones included.

    ids, kind, municipality_id, parent_id, replaced: (n,) int32; kind is an index into `kinds`, parent_id -1
    of what nothing feeds. lat, lon: (n,) degrees,
    NaN where unknown. installed_at: (n,) microseconds, NOT_YET of what is planned. retired: (n,) bool.
    document: (n,) int32, which of `documents` holds the attributes, as JSON: devices of a kind often have the
    same. relays: by row, of devices behind gateways. rows: by the name of the place. renamed: the rows of
    hardware that calls itself otherwise than its place, by what it calls itself.
    """

    ids: NDArray[np.int32]
    kinds: tuple[str, ...]
    kind: NDArray[np.int32]
    municipality_id: NDArray[np.int32]
    parent_id: NDArray[np.int32]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    installed_at: NDArray[np.int64]
    retired: NDArray[np.bool_]
    replaced: NDArray[np.int32]
    document: NDArray[np.int32]
    documents: Sequence[bytes]
    relays: Mapping[int, tuple[str, ...]]
    rows: Mapping[str, int]
    renamed: Mapping[str, int]

    @property
    def id_bound(self) -> int:
        """How long an array indexed by id must be."""
        return int(self.ids[-1]) + 1 if len(self.ids) else 1

    def of_kind(self, kind: str) -> NDArray[np.intp]:
        """Return the rows of a kind."""
        if kind not in self.kinds:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(self.kind == self.kinds.index(kind))

    def find(self, ids: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return the row of each id, -1 where nothing is registered."""
        rows = np.searchsorted(self.ids, ids)
        known = rows < len(self.ids)
        known[known] = self.ids[rows[known]] == ids[known]
        return np.where(known, rows, -1)

    def documents_of(self, rows: NDArray[np.intp]) -> tuple[list[Mapping[str, Any]], NDArray[np.intp]]:
        """Return the documents of attributes that some rows have, and which of them each row has."""
        used, place = np.unique(self.document[rows], return_inverse=True)
        return [msgspec.json.decode(self.documents[one]) for one in used.tolist()], place

    def attributes(self, names: Iterable[str], rows: NDArray[np.intp]) -> dict[str, list[Any]]:
        """Return attributes of some rows, None where one is absent."""
        known, place = self.documents_of(rows)
        places = place.tolist()
        found = {}
        for name in names:
            values = [document.get(name) for document in known]
            found[name] = [values[one] for one in places]
        return found


def columns_of(registry: Registry) -> DeviceColumns:
    """Return the devices of a registry in columns; one that was loaded has them already."""
    devices = registry.devices
    known: DeviceColumns | None = getattr(devices, "columns", None)
    return of_devices(devices.values()) if known is None else known


def of_devices(devices: Iterable[Device]) -> DeviceColumns:
    """Return devices in columns."""
    known = sorted(devices, key=lambda device: device.id)
    kinds = tuple(dict.fromkeys(device.kind for device in known))
    return DeviceColumns(
        ids=np.array([d.id for d in known], dtype=np.int32),
        kinds=kinds,
        kind=np.array([kinds.index(d.kind) for d in known], dtype=np.int32),
        municipality_id=np.array([d.municipality_id for d in known], dtype=np.int32),
        parent_id=np.array([-1 if d.parent_id is None else d.parent_id for d in known], dtype=np.int32),
        lat=np.array([np.nan if d.lat is None else d.lat for d in known], dtype=np.float64),
        lon=np.array([np.nan if d.lon is None else d.lon for d in known], dtype=np.float64),
        installed_at=np.array([counts_from(d.installed_at) for d in known], dtype=np.int64),
        retired=np.array([d.retired_at is not None for d in known], dtype=np.bool_),
        replaced=np.array([d.replaced for d in known], dtype=np.int32),
        document=np.arange(len(known), dtype=np.int32),
        documents=[msgspec.json.encode(d.attributes) for d in known],
        relays={row: d.relays for row, d in enumerate(known) if d.relays},
        rows={d.name: row for row, d in enumerate(known)},
        renamed={d.wire: row for row, d in enumerate(known) if d.wire != d.name},
    )
