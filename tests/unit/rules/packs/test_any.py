"""The default rules for devices of every kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devices.kinds.kind import CLOCK_UNSET, UNDATED
from tests.unit.rules.packs.packs import every, fired_of
from tests.unit.rules.readings import KINDS, at


@pytest.mark.parametrize("kind", ["bin", "light", "drone"])
def test_rules_for_any_kind_judge_every_kind(kind: str) -> None:
    values = {m.name: 1.0 for m in KINDS[kind].measurements if m.type == "number"}

    assert fired_of("any", kind, every(1, 1441, **values)) == {"frozen-values"}
    assert fired_of("any", kind, every(1, 1000, **values)) == set()


def test_device_that_measures_no_numbers_is_never_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    bin_ = KINDS["bin"]
    lid = tuple(m for m in bin_.measurements if m.name == "lid_open")
    switch = replace(bin_, name="switch", measurements=lid, headline="lid_open", derived=(), panels=())
    monkeypatch.setitem(KINDS, "switch", switch)

    assert fired_of("any", "switch", every(1, 1441, lid_open=True)) == set()


def test_clock_that_is_behind_is_told_from_a_slow_network() -> None:
    steady = every(10, 60, fill_pct=10)
    jumpy = [at(10 * i, fill_pct=10) for i in range(60)]

    assert fired_of("any", "bin", steady, lag_s=lambda i: 3600.0) == {"clock-wrong"}
    assert fired_of("any", "bin", jumpy, lag_s=lambda i: 600.0 + 60 * (i % 9)) == set()
    assert fired_of("any", "bin", steady, lag_s=lambda i: 2.0) == set()


def test_clock_that_was_never_set_is_told_from_a_device_without_a_clock() -> None:
    assert fired_of("any", "bin", every(10, 3, fill_pct=10), quality=UNDATED | CLOCK_UNSET) == {"clock-wrong"}
    assert fired_of("any", "bin", every(10, 3, fill_pct=10), quality=UNDATED) == set()
