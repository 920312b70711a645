"""What is asked of devices' attributes says the same, whatever was asked before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from devices.kinds.kind import INTERVAL, MERGE
from devices.registry.registry import Registry
from ingest.decide.directory import Directory
from tests.unit.ingest.test_hardware import KINDS, TRIPOLI, device


def test_own_intervals_and_merging_do_not_depend_on_what_was_asked_before() -> None:
    kinds = {**KINDS, "bin": replace(KINDS["bin"], merge=True)}
    known = device(1, "B-1", attributes={INTERVAL: 0})
    registry = Registry(devices={1: known}, by_name={"B-1": known}, municipalities={"tripoli": TRIPOLI})
    asked, fresh = Directory(registry, kinds), Directory(registry, kinds)

    before = asked.attributes("bin", (INTERVAL, MERGE))

    assert before[INTERVAL][1] == 0
    assert np.isnan(asked.own_interval_s("bin")).all()
    merging, expected = asked.merging("bin"), fresh.merging("bin")
    assert merging is not None
    assert expected is not None
    np.testing.assert_array_equal(merging, expected)
