"""What rules know of a registry's devices: attributes, places and maintenance, as arrays. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import INTERVAL
from devices.registry.columns import DeviceColumns, columns_of
from devices.registry.registry import Registry
from rules.context.attributes import Attributes, MaintenanceWindows, as_numbers, as_texts
from rules.context.geometry import Polygons
from rules.context.local_time import PlaceColumns
from rules.context.truth import missing
from rules.language.program import Program
from rules.maintenance.spans import Spans


def attributes_of(kind: str, registry: Registry, program: Program, maintenance: Spans) -> Attributes:
    """Return what a program asks of the devices of its kind; in the last row everything is unknown."""
    columns = columns_of(registry)
    own = columns.of_kind(kind)
    rows = np.full(columns.id_bound, len(own), dtype=np.intp)
    rows[columns.ids[own]] = np.arange(len(own))
    numbers, texts, polygons = {*program.numbers, INTERVAL}, set(program.texts), set(program.polygons)
    documents, place = columns.documents_of(own)
    # The last row is nobody's.
    documents, place = [*documents, {}], np.append(place, len(documents))
    places, placed = _places(columns, own, registry)
    return Attributes(
        rows=rows,
        numbers={name: _spread(as_numbers(d.get(name) for d in documents), place) for name in numbers},
        texts={name: _spread(as_texts(d.get(name) for d in documents), place) for name in texts},
        polygons={name: Polygons([documents[one].get(name) for one in place.tolist()]) for name in polygons},
        lat=places.lat,
        lon=places.lon,
        placed=placed,
        zone=places.zone,
        zones=places.zones,
        weekend=places.weekend,
        windows=_windows(columns.ids[own], maintenance),
        installed_at=np.append(columns.installed_at[own], 0),
        replaced=np.append(columns.replaced[own].astype(np.int64), 0),
    )


def _spread(values: NDArray[Any], place: NDArray[np.intp]) -> NDArray[Any]:
    """Return each device's value; what none of them has takes no memory."""
    absent = missing(values) if values.dtype == object else np.isnan(values)
    if absent.all():
        return np.broadcast_to(values[-1:], len(place))
    return values[place]


def _places(
    columns: DeviceColumns, own: NDArray[np.intp], registry: Registry
) -> tuple[PlaceColumns, NDArray[np.bool_]]:
    """Return where devices stand, and whether that is their own position; else it is their municipality's."""
    towns = {town.id: town for town in registry.municipalities.values()}
    here, town = np.unique(columns.municipality_id[own], return_inverse=True)
    # The last place is nobody's.
    town = np.append(town, len(here))
    found = [towns[number] for number in here.tolist()]
    of_towns = PlaceColumns.of(
        [*(one.time_zone for one in found), "UTC"],
        [*(one.weekend for one in found), (6, 7)],
        [*(one.lat for one in found), None],
        [*(one.lon for one in found), None],
    )
    lat, lon = np.append(columns.lat[own], np.nan), np.append(columns.lon[own], np.nan)
    placed = ~(np.isnan(lat) | np.isnan(lon))
    placed[-1] = True
    places = PlaceColumns(
        zone=of_towns.zone[town],
        zones=of_towns.zones,
        weekend=of_towns.weekend[town],
        lat=np.where(placed, lat, of_towns.lat[town]),
        lon=np.where(placed, lon, of_towns.lon[town]),
    )
    return places, placed


def _windows(ids: NDArray[np.int32], maintenance: Spans) -> MaintenanceWindows | None:
    if not maintenance:
        return None
    return MaintenanceWindows.of([tuple(maintenance.get(device, ())) for device in ids.tolist()])
