"""What checkpoints store can be read again, also what an earlier program wrote."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import fields

import numpy as np
import pytest

from rules.context.memory.bits import numbers_of
from rules.engine import snapshot
from rules.engine.snapshot import Snapshot
from rules.engine.state import StateRows
from tests.unit.rules.readings import Evaluator, Reading, at, rule, told

TEXT = rule(
    """
levels: {minor: fill_pct > 50, major: 'fill_pct > 80 and delta(fill_pct) >= 0'}
clear: fill_pct < 40
for: 20m
"""
)


def history() -> list[Reading]:
    """Readings of two bins that fill, are full for a while, and are emptied."""
    levels = (20, 45, 60, 85, 90, 92, 95, 97, 10, 5)
    return [at(10 * i, device, fill_pct=level) for i, level in enumerate(levels) for device in (1, 7)]


def taken(readings: list[Reading]) -> Snapshot:
    """Return the state after some readings."""
    evaluator = Evaluator(TEXT)
    evaluator.feed(*readings)
    return snapshot.take(evaluator.state)


def assert_same(one: Snapshot | None, other: Snapshot) -> None:
    assert one is not None
    assert one.rules == other.rules
    np.testing.assert_array_equal(one.devices, other.devices)
    for field in fields(StateRows):
        np.testing.assert_array_equal(getattr(one.rows, field.name), getattr(other.rows, field.name))


def uncompressed(kept: Snapshot) -> bytes:
    """Return a snapshot as an earlier program wrote it: the archive itself."""
    archive = zlib.decompress(snapshot.dump(kept))
    assert archive.startswith(b"PK")
    return archive


def test_checkpoint_reads_as_it_was_taken() -> None:
    kept = taken(history())

    assert_same(snapshot.parse(snapshot.dump(kept)), kept)


def test_checkpoint_that_was_not_compressed_reads_as_it_was_taken() -> None:
    kept = taken(history())

    assert_same(snapshot.parse(uncompressed(kept)), kept)


def with_numbers(kept: Snapshot) -> bytes:
    """Return a snapshot as an earlier program wrote it: numbers, and the smallest integer for no instant."""
    rows = {field.name: getattr(kept.rows, field.name) for field in fields(StateRows)}
    rows["value"] = numbers_of(rows["value"])
    for name in ("watermark", "ended"):
        rows[name] = np.where(rows[name] == 0, np.iinfo(np.int64).min, rows[name])
    head = json.dumps({"format": 2, "rules": kept.rules}).encode()
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(head, dtype=np.uint8), devices=kept.devices, **rows)
    return zlib.compress(out.getvalue(), 1)


def test_checkpoint_with_numbers_reads_as_it_was_taken() -> None:
    kept = taken([*history(), at(0, 9), *(at(10 * i, 1, fill_pct=5) for i in range(10, 14))])
    numbers = numbers_of(kept.rows.value)
    assert np.isnan(numbers).any()
    assert not np.isnan(numbers).all()
    assert (kept.rows.ended == 0).any()
    assert (kept.rows.ended != 0).any()

    assert_same(snapshot.parse(with_numbers(kept)), kept)


def test_what_was_never_known_is_0_and_takes_no_memory() -> None:
    evaluator = Evaluator(TEXT)
    evaluator.feed(at(0, 1))

    rows = evaluator.state.rows
    assert rows.watermark[0]
    assert not any(
        getattr(rows, name).any() for name in ("on", "count", "start", "due", "ended", "value", "at")
    )


@pytest.mark.parametrize("cut", [3, 7, 12, 17])
def test_evaluation_goes_on_from_an_uncompressed_checkpoint_as_if_nothing_had_been(cut: int) -> None:
    readings = history()
    whole = Evaluator(TEXT).feed(*readings)
    before, after = Evaluator(TEXT), Evaluator(TEXT)

    found = before.feed(*readings[:cut])
    kept = snapshot.parse(uncompressed(snapshot.take(before.state)))
    assert kept is not None
    snapshot.carry(kept, after.state)
    found += after.feed(*readings[cut:])

    assert sorted(told(found)) == sorted(told(whole))
    assert len(whole) >= 4


@pytest.mark.parametrize("compressed", [True, False])
def test_checkpoint_of_another_format_is_not_read(compressed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = taken(history())
    data = snapshot.dump(kept) if compressed else uncompressed(kept)
    monkeypatch.setattr(snapshot, "FORMAT", snapshot.FORMAT + 1)

    assert snapshot.parse(data) is None
