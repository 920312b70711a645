"""Hours of devices from their readings: against an oracle, and what is meant in single cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readings.rollups.hours import Spans, hours
from readings.rollups.source import RollupDevices
from tests.unit.readings.rollups import oracle
from tests.unit.readings.rollups.streams import HOUR, METER, MINUTE, SECOND, START, Said, columns_of

FIRST = START // HOUR
LOOKING_BACK = {m.name for m in METER.measurements if m.looks_back}


def made(said: Sequence[Said], since: int = 0, until: int = 48) -> dict[tuple[int, int], dict[str, Any]]:
    """Return what is made of readings, for some hours from START on."""
    rows = columns_of(METER, said)
    devices = sorted({one.device for one in said})
    n = len(devices)
    spans = Spans(
        device_id=np.array(devices, dtype=np.int32),
        since=np.full(n, FIRST + since),
        until=np.full(n, FIRST + until),
    )
    known = RollupDevices(kind=METER, attributes={}, zones={})
    found = hours(rows, known.paces(rows), spans)
    return {
        (device, hour): {"readings": found.readings[row], "expected": found.expected[row]}
        | {name: values[row] for name, values in found.values.items()}
        for row, (device, hour) in enumerate(zip(found.device_id.tolist(), found.hour.tolist(), strict=True))
    }


VALUES = {
    "load_w": st.sampled_from([0.0, 10.0, 25.5]),
    "energy_kwh": st.sampled_from([0.0, 1.0, 2.5, 40.0, 41.0]),
    "heading_deg": st.sampled_from([0.0, 90.0, 350.0, 359.0]),
    "open": st.sampled_from([0.0, 1.0]),
    "mode": st.sampled_from(["on", "off", "dim"]),
}


@st.composite
def streams(draw: st.DrawFn) -> list[Said]:
    """Draw readings of two devices, some values absent, some marked, with gaps of any length."""
    said = []
    for device in (1, 2):
        at = START
        for _ in range(draw(st.integers(0, 12))):
            at += draw(st.sampled_from([SECOND, 10 * MINUTE, 25 * MINUTE, 3 * HOUR, 30 * HOUR // 10]))
            if at >= START + 47 * HOUR:
                break
            values = draw(st.fixed_dictionaries({}, optional=VALUES))
            marked = draw(st.lists(st.sampled_from(sorted(values)), unique=True)) if values else []
            said.append(Said(device=device, at=at, values=values, marked=tuple(marked)))
    return said


@given(streams())
def test_hours_are_what_an_oracle_makes_of_the_same_readings(said: list[Said]) -> None:
    found, wanted = made(said), oracle.hours(METER, said)

    assert found.keys() == wanted.keys()
    for key, values in wanted.items():
        for name, value in values.items():
            assert found[key][name] == pytest.approx(value), (key, name)


@given(streams(), st.integers(1, 40))
def test_hours_of_a_span_need_only_the_readings_around_it(said: list[Said], since: int) -> None:
    # Two and a half of the slowest interval, an hour; and the good reading before of what looks back.
    reach = int(2.5 * HOUR)
    low, high = START + since * HOUR - reach, START + (since + 2) * HOUR + reach
    before: dict[tuple[int, str], Said] = {}
    for one in said:
        if one.at < low:
            before |= {(one.device, name): one for name in LOOKING_BACK & one.values.keys() - {*one.marked}}
    kept = {id(one) for one in before.values()}
    around = [one for one in said if low <= one.at < high or id(one) in kept]

    whole = {key: v for key, v in made(said).items() if since <= key[1] - FIRST < since + 2}

    assert (made(around, since, since + 2) if around else {}) == whole


def test_lamp_that_was_off_through_hours_without_a_reading_was_off_for_all_of_them() -> None:
    said = [
        Said(device=1, at=START + 30 * MINUTE, values={"mode": "off", "open": 0.0}),
        Said(device=1, at=START + 150 * MINUTE, values={"mode": "off", "open": 1.0}),
    ]

    found = made(said)

    assert [found[1, FIRST + h]["mode_seconds"] for h in range(3)] == [
        {"off": 1800.0},
        {"off": 3600.0},
        {"off": 1800.0},
    ]
    assert [found[1, FIRST + h]["readings"] for h in range(3)] == [1, 0, 1]
    assert found[1, FIRST + 1]["expected"] == pytest.approx(1)
    assert found[1, FIRST + 1]["open_seconds"] == 0.0
