"""The traffic of benchmarks: seeded, and what it says of itself is true."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.throughput import many_rules
from bench.throughput.fleet import BenchFleet, Traffic
from bench.throughput.traffic import Stream, make_stream
from devices import kinds
from devices.wire import Decoder

START = 1_772_350_200_000_000


def stream_of(traffic: Traffic, messages: int, *, devices: int = 50, seed: int = 1) -> Stream:
    at = START + np.arange(messages, dtype=np.int64) * 1_000
    return make_stream(BenchFleet(traffic=traffic, size=devices), seed=seed, at=at)


@pytest.mark.parametrize("traffic", Traffic)
def test_stream_is_the_same_for_the_same_seed_and_another_for_another(traffic: Traffic) -> None:
    once, again, other = (stream_of(traffic, 500, seed=seed) for seed in (1, 1, 2))

    assert once.payloads == again.payloads
    assert once.payloads != other.payloads


def test_mixed_stream_counts_its_readings_and_repeats_truly() -> None:
    stream = stream_of(Traffic.MIXED, 5_000)

    readings = [json.loads(payload) for payload in stream.payloads]
    lengths = [len(r) if isinstance(r, list) else 1 for r in readings]
    seen: set[tuple[str, bytes]] = set()
    repeats = 0
    for topic, payload, length in zip(stream.topics, stream.payloads, lengths, strict=True):
        repeats += length if (topic, payload) in seen else 0
        seen.add((topic, payload))

    assert stream.readings == sum(lengths)
    assert stream.repeats == repeats > 0
    assert sum(length > 1 for length in lengths) == pytest.approx(500, rel=0.2)


@pytest.mark.parametrize("traffic", Traffic)
def test_readings_differ_in_device_or_instant_unless_they_are_repeats(traffic: Traffic) -> None:
    stream = stream_of(traffic, 3_000)

    keys = set()
    for topic, payload in zip(stream.topics, stream.payloads, strict=True):
        decoded = json.loads(payload)
        keys |= {(topic, r["ts"]) for r in (decoded if isinstance(decoded, list) else [decoded])}

    assert len(keys) == stream.readings - stream.repeats


def test_every_payload_of_mixed_traffic_is_decoded_by_its_kind() -> None:
    stream = stream_of(Traffic.MIXED, 2_000)
    declared = kinds.load()

    rows = 0
    for name, kind in declared.items():
        payloads = [p for t, p in zip(stream.topics, stream.payloads, strict=True) if f"/{name}/" in t]
        decoded, rejected = Decoder(kind).decode(payloads)
        assert payloads
        assert not rejected
        rows += len(decoded)

    assert rows == stream.readings


def test_as_many_rules_as_asked_are_made_for_every_kind() -> None:
    declared = kinds.load()

    made = many_rules.make(100, declared)

    assert {kind: sum(d.kind == kind for d in made) for kind in declared} == dict.fromkeys(declared, 100)
