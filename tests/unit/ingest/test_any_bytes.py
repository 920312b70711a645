"""No payload and no topic, of any bytes, can stop ingest, lose count, or harm its neighbours."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.kinds import load
from devices.kinds.kind import UNDATED
from devices.registry.registry import Device, Municipality, Registry
from devices.wire import Decoder, Kernel, Splitter
from ingest.broker.intake import Intake
from ingest.commit.rows import copy_columns
from ingest.commit.settled import Settled, count, receipts
from ingest.decide.allowance import Allowance
from ingest.decide.batch import Batch, decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from store.copy import encode, order
from tests.bad_input import RECEIVED_AT, RETENTION, cases
from tests.compiled import both_paths

KINDS = load()
KERNEL = Kernel()
DECODERS = {name: Decoder(kind, KERNEL) for name, kind in KINDS.items()}
path = both_paths(KERNEL)
NAMES = {"b1": "bin", "l1": "light", "u1": "drone", "g1": "gateway", "b9": "bin", "g9": "gateway"}
IDS = {name: number for number, name in enumerate(NAMES, 1)}
CORPUS = [payload for case in cases() for payload in case.payloads if len(payload) < 10_000]
NOW_MS = RECEIVED_AT // 1000
LEVELS = ["nabd", "v1", "tripoli", "bin", "b1", "g1", "telemetry", "", "\0", "é"]


def directory() -> Directory:
    """Return a town with every kind, a gateway, and a bin and a gateway below it."""
    tripoli = Municipality(
        id=1, name="tripoli", title={}, time_zone="Asia/Beirut", locale="ar-LB", weekend=(6, 7),
        lat=None, lon=None, register_unknown=False,
    )  # fmt: skip
    devices = {
        IDS[name]: Device(
            id=IDS[name], name=name, kind=kind, municipality="tripoli", municipality_id=1,
            relays=("g1",) if name.endswith("9") else (),
        )
        for name, kind in NAMES.items()
    }  # fmt: skip
    by_name = {device.name: device for device in devices.values()}
    return Directory(Registry(devices=devices, by_name=by_name, municipalities={"tripoli": tripoli}), KINDS)


def topic(name: str) -> str:
    return f"nabd/v1/tripoli/{NAMES[name]}/{name}/telemetry"


members = st.sampled_from(
    ["ts", "boot", "seq", "kind", "device", "fill_pct", "lid_open", "lat", "power_w", "flight_phase", "x", ""]
)
numbers = st.one_of(
    st.integers(), st.floats(), st.integers(NOW_MS - 10**7, NOW_MS + 10**9), st.just(10**400), st.just(-0.0)
)
scalars = st.one_of(
    numbers, st.none(), st.booleans(), st.text(max_size=8),
    st.sampled_from(["bin", "gateway", "b1", "b9", "g9", "\0", "\ud800", "9999-12-31T23:59:59.999999Z"]),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=3)
)
elements = st.dictionaries(members | st.text(max_size=4), values, max_size=6)
documents = st.one_of(elements, st.lists(elements, max_size=5), values)


def said(document: Any) -> bytes:
    """Return a document as a careless device would write it: NaN, surrogates and all."""
    return json.dumps(document).encode()


def spoilt(payload: bytes, at: int, with_: bytes) -> bytes:
    """Return the payload with some bytes written over others."""
    at %= len(payload) + 1
    return payload[:at] + with_ + payload[at + len(with_) :]


payloads = st.one_of(
    st.binary(max_size=200),
    documents.map(said),
    st.builds(spoilt, st.sampled_from(CORPUS) | documents.map(said), st.integers(0), st.binary(max_size=3)),
)
messages = st.lists(st.tuples(st.sampled_from(list(NAMES)), payloads), min_size=1, max_size=6)


def decided(sent: list[tuple[str, bytes]], offsets: Offsets | None = None) -> Batch:
    intake = Intake(
        topics=[t for t, _ in sent],
        payloads=[p for _, p in sent],
        received_at=np.arange(RECEIVED_AT, RECEIVED_AT + len(sent)),
        packet_ids=[],
        connection=None,
    )
    return decide(intake, directory(), DECODERS, offsets or Offsets(), RETENTION, Splitter(KERNEL))


def check_can_be_stored(batch: Batch) -> None:
    """Take the batch through everything that happens before the database sees it."""
    settled = Settled(refused=batch.refused)
    for kind, accepted in batch.accepted.items():
        settled.stored[kind] = accepted.columns
        settled.duplicates.append(accepted.repeats)
        columns = order(copy_columns(accepted.columns))
        assert encode(columns, len(accepted.columns))
        keys = set(zip(accepted.columns.device_id, accepted.columns.observed_at, strict=True))
        assert len(keys) == len(accepted.columns)
        assert (accepted.columns.observed_at <= accepted.columns.received_at + 5 * 60_000_000).all()
        assert (accepted.columns.observed_at >= accepted.columns.received_at - RETENTION).all()
    counts = count(settled, batch, directory(), shard="main", number=1)
    assert counts.received == counts.stored + counts.duplicate + counts.rejected
    assert receipts(settled, batch, directory()) is not None
    allowance = Allowance()
    assert all(allowance.admits(r.device, RECEIVED_AT) in (True, False) for r in batch.refused)


def accounted(batch: Batch) -> set[int]:
    """Return the messages of which something is stored, a repeat, or rejected."""
    found = {refused.rejected.message for refused in batch.refused}
    for accepted in batch.accepted.values():
        found |= set(accepted.columns.message.tolist()) | set(accepted.repeats.message.tolist())
    return found


@given(messages)
@settings(max_examples=150, deadline=None)
@example([("g1", b'[{"kind": "gateway", "device": "g9"}]')])
@example([("b1", b'{"ts": "9999-12-31T23:59:59-23:59"}')])
def test_every_message_is_stored_or_rejected_and_its_neighbours_are_untouched(
    sent: list[tuple[str, bytes]],
) -> None:
    stream = []
    for i, (name, payload) in enumerate(sent):
        stream.append(("nabd/v1/tripoli/light/l1/telemetry", said({"ts": NOW_MS - i, "power_w": i})))
        stream.append((topic(name), payload))
    lone = {i: decided([message]) for i, message in enumerate(stream)}

    batch = decided(stream)

    assert accounted(batch) == set(range(len(stream)))
    check_can_be_stored(batch)
    for batch_of_one in lone.values():
        assert accounted(batch_of_one) == {0}
    mine = {
        refused.rejected.message
        for refused in batch.refused
        if refused.rejected.message % 2 == 0 and refused.rejected.reason != "conflict"
    }
    assert not mine  # a good reading is refused for its neighbour's sake only where both claim one instant


@given(payloads, st.sampled_from(list(KINDS)))
@settings(max_examples=150, deadline=None)
def test_a_decoder_takes_any_bytes(payload: bytes, kind: str) -> None:
    decoded, rejected = DECODERS[kind].decode([payload])

    assert len(decoded) + len(rejected) >= 1
    assert all(r.message == 0 for r in rejected)
    assert all(payload.find(r.payload) >= 0 for r in rejected)


@given(
    st.lists(
        st.one_of(
            st.text(max_size=40),
            st.lists(st.sampled_from(LEVELS)).map("/".join),
        ),
        min_size=1,
        max_size=5,
    ),
    payloads,
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_topic_leads_somewhere(topics: list[str], payload: bytes) -> None:
    batch = decided([(text, payload) for text in topics])

    check_can_be_stored(batch)
    telemetry = {i for i, source in enumerate(batch.sources) if source.refusal is not None}
    assert telemetry <= accounted(batch)


ahead_ms = st.integers(6 * 60_000, 4 * 10**12) | st.sampled_from([3_600_000, 86_400_000, 31_536_000_000])
ages_ms = st.lists(st.integers(0, 60_000), min_size=1, max_size=5, unique=True)


@given(ahead_ms, st.lists(ages_ms, min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_repeat_under_a_clock_that_is_ahead_meets_the_same_instant_however_it_is_grouped(
    ahead: int, messages: list[list[int]], random: Random
) -> None:
    told = [[NOW_MS + ahead - age for age in message] for message in messages]
    offsets = Offsets()
    first = decided([(topic("b1"), said([at(t) for t in message])) for message in told], offsets)
    offsets.adopt(first.learnt)
    every = sorted({t for message in told for t in message})
    random.shuffle(every)

    again = decided([(topic("b1"), said(at(t))) for t in every], offsets)

    assert instants(again) <= instants(first)


def at(ts: int) -> dict[str, float]:
    return {"ts": ts, "fill_pct": 1}


def instants(batch: Batch) -> set[int]:
    """Return the instants of what has a clock; what has none cannot be recognised."""
    return {
        int(instant)
        for accepted in batch.accepted.values()
        for instant in accepted.columns.observed_at[accepted.columns.quality & UNDATED == 0]
    }
