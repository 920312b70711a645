"""Compiled functions of the past say and remember what the exact ones do, and stay inside their arrays.

NABD_FUZZ_SEED says which readings.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import numba
import numpy as np
import pytest
from numba import njit

from devices.compiled.part import Functions
from rules.context.compiled import kernel, trial
from rules.context.compiled.part import PART
from rules.context.memory.bits import numbers_of
from rules.engine.evaluate import step
from rules.engine.state import RuleState
from rules.loading.files import PACKS
from tests.compiled import compiled_functions
from tests.unit.rules.engine.test_batch_split import FACTS, HOURLY, history
from tests.unit.rules.readings import KINDS, attributes_for, columns_of, program_of

SEED = int(os.environ.get("NABD_FUZZ_SEED", "0")) or Random().randrange(1, 2**32)


@pytest.fixture(scope="module")
def checked() -> Functions:
    """The functions compiled so that every index is checked, in all that they call: one outside raises."""
    functions: Functions = {
        name: njit(error_model="numpy", boundscheck=True)(getattr(kernel, name)) for name in PART.functions
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "BOUNDSCHECK", 1)
        trial.differing(functions, 1, many=1)
        trial.paces_differ(functions, 1)
    return functions


def test_bounds_are_checked(checked: Functions) -> None:
    def with_less_room(*arrays: Any) -> None:
        checked["last"](*arrays[:-3], arrays[-3][:0], *arrays[-2:])

    with pytest.raises(IndexError):
        trial.differing({**checked, "last": with_less_room}, 1)


@pytest.mark.parametrize("name", PART.functions)
def test_machine_code_is_never_given_what_it_would_misread(name: str) -> None:
    function = compiled_functions()[name]
    types = [array.partition(":") for array in PART.functions[name]]
    arrays = [np.zeros((1,) * int(dimensions or 1), dtype=type_) for type_, _, dimensions in types]

    for place, array in enumerate(arrays):
        for wrong in (
            array.astype(np.float32),
            array[np.newaxis],
            np.zeros((4, 4), dtype=array.dtype)[:, ::2],
        ):
            with pytest.raises(AssertionError):
                function(*arrays[:place], wrong, *arrays[place + 1 :])
    with pytest.raises(AssertionError):
        function(*arrays[:-1])


@pytest.mark.parametrize("path", ["checked", "machine code"])
def test_random_readings(path: str, checked: Functions) -> None:
    functions = checked if path == "checked" else compiled_functions()

    for seed in range(SEED, SEED + 40):
        assert not trial.differing(functions, seed), f"NABD_FUZZ_SEED={seed}"
        assert not trial.paces_differ(functions, seed), f"NABD_FUZZ_SEED={seed}"


def test_one_that_says_or_remembers_otherwise_is_noticed_before_anybody_uses_it(checked: Functions) -> None:
    def says(*arrays: Any) -> None:
        checked["flat"](*arrays)
        arrays[-4][:1] = 0.5

    def remembers(*arrays: Any) -> None:
        checked["within"](*arrays)
        arrays[-4][2] += 1  # since when nothing was missed

    def paces(*arrays: Any) -> None:
        checked["windows"](*arrays)
        arrays[-1][:] += 1

    assert trial.agrees(checked)
    assert not trial.agrees({**checked, "windows": paces})
    assert not trial.agrees({**checked, "flat": says})
    assert not trial.agrees({**checked, "within": remembers})


@pytest.mark.parametrize("kind", ["bin", "light", "drone"])
@pytest.mark.parametrize("facts", [FACTS, HOURLY], ids=["usual", "hourly"])
def test_default_rules_make_the_same_transitions_and_the_same_state(kind: str, facts: Any) -> None:
    dice = Random(f"{SEED} {kind}")
    text = "\n".join((PACKS / f"{name}.yaml").read_text() for name in (kind, "any"))
    program = program_of(text, KINDS[kind])
    attributes, functions = attributes_for(program, facts), compiled_functions()
    mine, exact = RuleState(program), RuleState(program)
    readings, begin, transitions = history(kind, dice, 1200), 0, 0
    while begin < len(readings):
        columns = columns_of(readings[begin : begin + dice.choice([1, 7, 40, 300])], KINDS[kind])
        begin += len(columns)
        said = step(program, mine, columns, attributes, functions=functions)
        expected = step(program, exact, columns, attributes)

        assert said.transitions == expected.transitions, f"NABD_FUZZ_SEED={SEED}"
        assert (said.interval_us == expected.interval_us).all()
        mine.adopt(said.changes)
        exact.adopt(expected.changes)
        transitions += len(said.transitions)
    known = len(exact.index)
    for name in exact.rows.__slots__:
        mine_of, theirs = getattr(mine.rows, name)[:known], getattr(exact.rows, name)[:known]
        if name == "value":
            mine_of, theirs = numbers_of(mine_of), numbers_of(theirs)
        assert np.array_equal(mine_of, theirs, equal_nan=name == "value"), name
    assert transitions
