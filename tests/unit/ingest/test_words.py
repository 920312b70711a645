"""Words of a text with choices: folded by case, and told where they are none."""

from __future__ import annotations

import numpy as np
import pytest

from devices.kinds import load
from ingest.decide import words

DRONE = load()["drone"]
PHASE = DRONE.measurement("flight_phase")


def texts(*said: str | None) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    column = np.empty(len(said), dtype=object)
    column[:] = said
    return column


@pytest.mark.parametrize("said", ["TRANSIT", "Transit", " transit ", "transit"])
def test_word_that_differs_by_case_or_space_is_the_choice(said: str) -> None:
    folded = words.fold(DRONE, {m.name: texts(said) for m in DRONE.measurements})["flight_phase"]

    assert folded.tolist() == ["transit"]
    assert not words.unknown(PHASE, folded).any()


def test_word_outside_the_choices_stays_and_is_unknown() -> None:
    column = texts("docked", "AUTO", None)

    assert words.fold(DRONE, {m.name: column for m in DRONE.measurements})["flight_phase"] is column
    assert words.unknown(PHASE, column).tolist() == [False, True, False]
