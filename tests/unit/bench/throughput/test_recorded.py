"""The recorded stream: every reading becomes a row, however few messages a session gives at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.throughput import recorded
from bench.throughput.fleet import BenchFleet, Traffic
from bench.throughput.recorded import RowsMissing
from bench.throughput.traffic import Stream, make_stream
from devices import kinds
from ingest.broker import received

FLEET = BenchFleet(traffic=Traffic.MIXED, size=50)


def stream(messages: int) -> Stream:
    at = 1_790_000_000_000_000 + np.arange(messages, dtype=np.int64) * 100_000
    return make_stream(FLEET, seed=3, at=at)


def test_every_reading_becomes_a_row_where_a_session_gives_fewer_messages_than_a_batch_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages = stream(1_000)
    monkeypatch.setattr(received, "MOST_ELEMENTS", 1_000)  # mixed messages hold six elements each

    encoded = recorded.run(messages, FLEET, kinds.load(), [], 400).encoded

    assert sum(one.rows for one in encoded) == messages.readings - messages.repeats
    assert [one.number for one in encoded] == sorted(one.number for one in encoded)
    assert {one.number for one in encoded} == {0, 1, 2}
    assert sum(one.table == "bin_reading" for one in encoded) > 3  # several of one batch


def test_stream_of_which_readings_are_missing_is_not_measured() -> None:
    messages = stream(200)

    with pytest.raises(RowsMissing, match=f"{messages.readings + 1 - messages.repeats} readings"):
        recorded.run(replace(messages, readings=messages.readings + 1), FLEET, kinds.load(), [], 100)
