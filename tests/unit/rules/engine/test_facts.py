"""What rules know of a registry's devices."""

from __future__ import annotations

import numpy as np

from rules.engine.facts import attributes_of
from tests.unit.rules.readings import program_of, rule
from tests.unit.rules.sweeps.arrays.town import device, registry

PROGRAM = program_of(
    rule(
        "levels: {minor: \"fill_pct > attr(limit_pct, 80) + attr(margin, 1) and attr(lid, 'none') == 'red'\"}"
    )
)
DEVICES = [
    device(3, limit_pct=70),
    device(4, "light", limit_pct=60),
    device(5, limit_pct="70", lid="red"),
    device(9, limit_pct=True, lid=7),
]


def test_each_device_has_its_own_and_nobody_has_none() -> None:
    known = attributes_of("bin", registry(DEVICES), PROGRAM, {})

    rows = known.rows_of(np.array([9, 3, 5, 4, 100], dtype=np.int32))
    np.testing.assert_array_equal(known.numbers["limit_pct"][rows], [1.0, 70.0, np.nan, np.nan, np.nan])
    assert known.texts["lid"][rows].tolist() == [None, None, "red", None, None]
    assert len(known) == 3


def test_what_no_device_has_takes_no_memory() -> None:
    known = attributes_of("bin", registry(DEVICES), PROGRAM, {})

    margin = known.numbers["margin"]
    assert margin.shape == (4,)
    assert np.isnan(margin).all()
    assert margin.strides == (0,)
