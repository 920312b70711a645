"""Every case of tests/golden/bad is decided as it says, alone and among all the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from devices.kinds import load
from devices.kinds.kind import CLOCK_CORRECTED, UNDATED
from devices.registry.registry import Device, Municipality, Registry
from devices.wire import Decoder, Kernel, Splitter
from ingest.broker.intake import Intake
from ingest.decide.batch import Batch, decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from tests.bad_input import RECEIVED_AT, RETENTION, Case, cases
from tests.compiled import both_paths

CASES = [case for case in cases() if case.arrives]
KINDS = load()
KERNEL = Kernel()
DECODERS = {name: Decoder(kind, KERNEL) for name, kind in KINDS.items()}
path = both_paths(KERNEL)
GOOD = "nabd/v1/tripoli/bin/good/telemetry"


def directory() -> Directory:
    """Return the registry that the cases assume."""
    named = [("good", "bin", None), *(device for case in CASES for device in case.devices)]
    ids = {name: number for number, (name, *_) in enumerate(named, 1)}
    retired = {case.name for case in CASES if case.says.get("retired")}
    devices = {
        ids[name]: Device(
            id=ids[name], name=name, kind=kind, municipality="tripoli", municipality_id=1,
            relays=() if parent is None else (parent,),
            retired_at=datetime(2026, 1, 1, tzinfo=UTC) if name in retired else None,
        )
        for name, kind, parent in named
    }  # fmt: skip
    by_name = {device.name: device for device in devices.values()}
    return Directory(Registry(devices=devices, by_name=by_name, municipalities={"tripoli": TRIPOLI}), KINDS)


TRIPOLI = Municipality(
    id=1, name="tripoli", title={}, time_zone="Asia/Beirut", locale="ar-LB", weekend=(6, 7), lat=None,
    lon=None, register_unknown=False,
)  # fmt: skip


def decided(messages: Sequence[tuple[str, bytes]]) -> Batch:
    """Return what ingest decides about messages that arrive together."""
    intake = Intake(
        topics=[topic for topic, _ in messages],
        payloads=[payload for _, payload in messages],
        received_at=np.arange(RECEIVED_AT, RECEIVED_AT + len(messages)),
        packet_ids=[],
        connection=None,
    )
    return decide(intake, directory(), DECODERS, Offsets(), RETENTION, Splitter(KERNEL))


def stored(batch: Batch) -> int:
    return sum(len(accepted.columns) for accepted in batch.accepted.values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_decided_as_it_says(case: Case) -> None:
    batch = decided([(case.topic, payload) for payload in case.payloads])

    refused = [(str(r.rejected.reason), r.rejected.pointer) for r in batch.refused]
    assert refused == case.rejected
    assert stored(batch) == case.stored
    assert sum(len(a.repeats) for a in batch.accepted.values()) == case.says.get("duplicates", 0)
    columns = [accepted.columns for accepted in batch.accepted.values()]
    for key, bit in (("undated", UNDATED), ("corrected", CLOCK_CORRECTED)):
        assert sum(int((c.quality & bit != 0).sum()) for c in columns) == case.says.get(key, 0)
    suspect = [m.name for c in columns for m in c.kind.measurements if (c.quality >> m.bit & 1).any()]
    assert suspect == case.says.get("suspect", [])
    extra = sorted({name for c in columns for raw in c.extra if raw for name in json.loads(raw)})
    assert len(extra) == case.says.get("names", len(case.says.get("extra", [])))
    if "names" not in case.says:
        assert extra == case.says.get("extra", [])


def test_all_cases_at_once_are_decided_as_each_alone_and_good_neighbours_are_untouched() -> None:
    messages = []
    for n, (topic, payload) in enumerate((c.topic, p) for c in CASES for p in c.payloads):
        messages.append((topic, payload))
        messages.append((GOOD, b'{"ts": %d, "fill_pct": 50}' % (RECEIVED_AT // 1000 - 1000 * n)))

    batch = decided(messages)

    good = len(messages) // 2
    assert stored(batch) == good + sum(case.stored for case in CASES)
    assert len(batch.refused) == sum(len(case.rejected) for case in CASES)
    refused = sorted(str(r.rejected.reason) for r in batch.refused)
    assert refused == sorted(reason for case in CASES for reason, _ in case.rejected)
