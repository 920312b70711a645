"""How newest values are flushed: in pieces, every device once, nothing forgotten before it is stored."""

from __future__ import annotations

import numpy as np
import pytest

from devices import kinds as declared
from devices.columns import MISSING, Columns, empty_values
from devices.registry.registry import Device, Registry
from ingest.commit.latest import LARGEST, PIECES, SMALLEST, LatestBuffer
from ingest.decide.directory import Directory

KINDS = declared.load()


def directory(devices: int) -> Directory:
    """Return a registry of bins with ids from 1 on."""
    bins = {
        i: Device(
            id=i, name=f"b{i}", kind="bin", municipality="tripoli", municipality_id=1,
            parent=None, parent_id=None,
        )
        for i in range(1, devices + 1)
    }  # fmt: skip
    return Directory(Registry(devices=bins, by_name={}, municipalities={}), KINDS)


def readings(devices: int, at: int) -> Columns:
    """Return one reading of every bin, all observed and received at an instant."""
    kind = KINDS["bin"]
    return Columns(
        kind=kind,
        device_id=np.arange(1, devices + 1, dtype=np.int32),
        observed_at=np.full(devices, at),
        received_at=np.full(devices, at),
        quality=np.zeros(devices, dtype=np.int64),
        boot=np.full(devices, MISSING),
        seq=np.full(devices, MISSING),
        values=empty_values(kind, devices) | {"fill_pct": np.full(devices, float(at))},
        extra=np.full(devices, None, dtype=object),
        message=np.arange(devices, dtype=np.int32),
    )


@pytest.mark.parametrize("devices", [1, SMALLEST, SMALLEST + 1, 10 * SMALLEST, 12 * LARGEST])
def test_a_flush_tells_every_device_once_in_few_pieces(devices: int) -> None:
    buffer, registry = LatestBuffer(), directory(devices)
    for at in (1, 2):
        buffer.add(readings(devices, at))

    told: list[int] = []
    pieces = 0
    while buffer.waiting:
        rows = buffer.rows(registry)
        told += rows.device_id
        assert set(rows.observed_at) == {2}
        buffer.flushed()
        pieces += 1

    assert sorted(told) == list(range(1, devices + 1))
    few = 1 if devices <= SMALLEST else min(PIECES, -(-devices // SMALLEST))
    assert pieces == max(few, -(-devices // LARGEST))
    assert not buffer.flushing


def test_a_piece_that_was_not_stored_is_told_again_with_what_came_since() -> None:
    devices = 3 * SMALLEST
    buffer, registry = LatestBuffer(), directory(devices)
    buffer.add(readings(devices, 1))
    first = buffer.rows(registry)
    buffer.add(readings(devices, 2))

    again = buffer.rows(registry)
    assert again.device_id == first.device_id
    assert set(again.observed_at) == {2}
    told = []
    while buffer.waiting:
        rows = buffer.rows(registry)
        told += list(zip(rows.device_id, rows.observed_at, strict=True))
        buffer.flushed()

    assert sorted(told) == [(device, 2) for device in range(1, devices + 1)]


def test_what_comes_while_a_piece_is_stored_is_flushed_next_time() -> None:
    buffer, registry = LatestBuffer(), directory(2)
    buffer.add(readings(2, 1))
    buffer.rows(registry)
    buffer.add(readings(1, 2))
    buffer.flushed()

    assert buffer.waiting
    assert list(buffer.rows(registry).observed_at) == [2]


def test_an_older_reading_proves_life_and_changes_nothing_else() -> None:
    buffer, registry = LatestBuffer(), directory(1)
    buffer.add(readings(1, 5))
    late = readings(1, 3)
    late.received_at = np.array([9])
    buffer.add(late)

    rows = buffer.rows(registry)
    assert (rows.observed_at, rows.received_at) == ([5], [9])
    assert rows.measurements == [{"fill_pct": 5.0}]


def test_of_two_readings_of_an_instant_the_later_one_counts() -> None:
    buffer, registry = LatestBuffer(), directory(1)
    both = readings(2, 5)
    both.device_id = np.array([1, 1], dtype=np.int32)
    both.values["fill_pct"] = np.array([1.0, 2.0])
    buffer.add(both)

    assert list(buffer.rows(registry).measurements) == [{"fill_pct": 2.0}]


def test_values_of_all_kinds_survive_while_the_fleet_grows() -> None:
    buffer, registry = LatestBuffer(), directory(200)
    for devices in (1, 70, 200):
        grown = readings(devices, devices)
        grown.values["lid_open"] = np.ones(devices)
        buffer.add(grown)

    rows = buffer.rows(registry)
    assert sorted(rows.device_id) == list(range(1, 201))
    assert all(measured == {"fill_pct": 200.0, "lid_open": True} for measured in rows.measurements)


def test_the_last_good_position_stays_while_new_ones_are_suspect() -> None:
    buffer, registry, kind = LatestBuffer(), directory(1), KINDS["bin"]
    place = sum(1 << kind.measurement(name).bit for name in ("lat", "lon"))
    told = []
    for at, (lat, lon, quality) in enumerate([(32.9, 13.2, 0), (0.0, 0.0, place), (32.8, 13.1, 0)], 1):
        columns = readings(1, at)
        columns.values |= {"lat": np.array([lat]), "lon": np.array([lon])}
        columns.quality = np.array([quality])
        buffer.add(columns)
        rows = buffer.rows(registry)
        buffer.flushed()
        told.append((rows.measurements[0]["lat"], rows.measurements[0]["fill_pct"], rows.quality[0]))

    assert told == [(32.9, 1.0, 0), (32.9, 2.0, 0), (32.8, 3.0, 0)]
