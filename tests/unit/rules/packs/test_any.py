"""The default rules for devices of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from devices.kinds.kind import CLOCK_UNSET, UNDATED
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from rules.language.program import Rule, compile_program
from rules.loading.files import PACKS, parse
from tests.unit.rules.packs.packs import every, fired_of
from tests.unit.rules.readings import KINDS, at, attributes_for, columns_of


@pytest.mark.parametrize("kind", ["bin", "light", "drone"])
def test_rules_for_any_kind_judge_every_kind(kind: str) -> None:
    values = {m.name: 1.0 for m in KINDS[kind].measurements if m.type == "number"}

    assert fired_of("any", kind, every(1, 1441, **values)) == {"frozen-values"}
    assert fired_of("any", kind, every(1, 1000, **values)) == set()


def test_device_that_measures_no_numbers_is_never_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    bin_ = KINDS["bin"]
    lid = tuple(m for m in bin_.measurements if m.name == "lid_open")
    bare = replace(bin_, derived=(), panels=(), properties=(), public=(), inspection=())
    switch = replace(bare, name="switch", measurements=lid, headline="lid_open")
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


def twins(numbers: list[tuple[int, int]], minutes: float = 10, cuts: Sequence[int] = ()) -> set[str]:
    """Return the rules for any kind that fire on a bin whose readings carry (boot, seq), -1 for none."""
    text = (PACKS / "any.yaml").read_text(encoding="utf-8")
    rules = [Rule(definition=d, version=1) for d in parse(text, KINDS) if d.levels]
    program = compile_program(KINDS["bin"], rules)
    state, facts, fired = RuleState(program), attributes_for(program), set()
    columns = columns_of([at(minutes * i, fill_pct=20 + 9 * (i % 7)) for i in range(len(numbers))])
    columns.boot, columns.seq = (np.array(part, dtype=np.int64) for part in zip(*numbers, strict=True))
    for start, end in pairwise((0, *cuts, len(numbers))):
        result = step(program, state, columns.take(np.arange(start, end)), facts)
        state.adopt(result.changes)
        fired |= {t.rule for t in result.transitions if t.to_state == "firing"}
    return fired


@pytest.mark.parametrize("cuts", [(), (4,), (1, 2, 3, 5, 9)])
@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([(3 + 4 * (n % 2), 100 + n // 2) for n in range(12)], True),
        ([(3 if n % 4 else 7, n) for n in range(24)], True),
        ([(-1, 118 + n // 2 if n % 2 else 9000 + n // 2) for n in range(12)], True),
        ([(3 + 4 * (n % 2), -1) for n in range(12)], True),
        ([(3, n) for n in range(12)], False),
        ([*((3, n) for n in range(6)), *((4, n) for n in range(6))], False),
        ([*((-1, 118 + n) for n in range(6)), *((-1, n) for n in range(6))], False),
        ([(n, 1) for n in range(12)], False),
        ([(-1, -1)] * 12, False),
    ],
)
def test_two_senders_under_one_name_are_told_and_a_restart_is_no_twin(
    numbers: list[tuple[int, int]], told: bool, cuts: Sequence[int]
) -> None:
    assert twins(numbers, cuts=cuts) == ({"two-senders"} if told else set())


def test_a_device_that_speaks_and_says_nothing_is_told() -> None:
    assert fired_of("any", "bin", every(10, 3)) == {"speaks-but-says-nothing"}
    assert fired_of("any", "bin", [*every(10, 2), at(20, lid_open=False), *every(10, 2, 30)]) == set()
    assert fired_of("any", "drone", every(1, 9, zone="olives")) == set()
