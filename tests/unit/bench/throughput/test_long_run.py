"""What a long run says of memory, and what the generator sends lap after lap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.results.files import read
from bench.results.summary import IngestRuns
from bench.throughput.fleet import BenchFleet, Traffic
from bench.throughput.long_run import growth
from bench.throughput.publisher import _Plan, _shares, write_plan
from bench.throughput.traffic import make_stream
from tests.unit.bench.results.builders import LONG, summary, write

BEGIN = 1_790_000_000_000_000


def test_growth_is_the_slope_of_memory_once_it_is_warm() -> None:
    seconds = np.arange(0, 1_800, 5.0)
    noise = np.where(np.arange(len(seconds)) % 2, 1.0, -1.0)
    cold = np.where(seconds < 300, 100.0, 0.0)

    slope, half = growth(np.column_stack((seconds, 200 + 36 * seconds / 3600 + noise - cold)))

    assert half is not None
    assert slope == pytest.approx(36, abs=half)
    assert 0 < half < 2


def test_growth_of_constant_memory_is_nothing() -> None:
    seconds = np.arange(0, 600, 5.0)

    slope, half = growth(np.column_stack((seconds, np.full(len(seconds), 180.0))))

    assert half is not None
    assert abs(slope) <= half + 1e-9


def test_growth_lies_in_its_interval_nearly_as_often_as_it_says_though_samples_resemble_each_other() -> None:
    random = np.random.default_rng(4)
    seconds, held = np.arange(0, 1_800, 5.0), 0
    for _ in range(500):
        wanders = [0.0]
        for shock in random.normal(0, 1, len(seconds) - 1):
            wanders.append(0.9 * wanders[-1] + shock)
        slope, half = growth(np.column_stack((seconds, 200 + np.array(wanders))))
        held += half is not None and abs(slope) <= half

    assert held / 500 >= 0.85


def test_growth_of_a_run_too_short_to_tell_is_read_again_as_unknown(tmp_path: Path) -> None:
    slope, half = growth(np.array([[0.0, 100.0], [1.0, 101.0]]))

    assert (slope, half) == (0.0, None)
    line = summary(IngestRuns(long=[replace(LONG, growth_mb_per_h=slope, growth_95=half)]))
    assert read(write(tmp_path / "found.json", [line]))[0].runs.long[0].growth_95 is None


def test_every_lap_says_the_times_of_its_own(tmp_path: Path) -> None:
    fleet = BenchFleet(traffic=Traffic.MIXED, size=20)
    at = BEGIN + np.arange(200, dtype=np.int64) * 10_000
    stream = make_stream(fleet, seed=3, at=at)
    write_plan(tmp_path / "plan", stream, host="x", port=1, open_loop=True, laps=3, lap_us=2_000_000)
    counts = [int((stream.device % 4 == connection).sum()) for connection in range(4)]
    plan = _Plan(host="x", port=1, counts=counts, open_loop=True, laps=3, lap_us=2_000_000)

    for connection, share in enumerate(_shares(tmp_path / "plan", plan)):
        mine = np.flatnonzero(stream.device % 4 == connection).tolist()
        sent = b""
        while share.sent < len(share):
            stop = share.due_until(BEGIN + 1_500_000 + share.sent // len(share.due) * 2_000_000)
            if stop == share.sent:  # the rest of the lap
                stop = share.due_until(BEGIN + 10_000_000_000)
            sent += bytes(share.packets(stop))
            share.sent = stop
        for lap in range(3):
            for message in mine:
                later = stream.payloads[message]
                for told in {int(part[:16]) for part in later.split(b'"ts":')[1:]}:
                    later = later.replace(str(told).encode(), str(told + lap * 2_000_000).encode())
                assert later in sent
