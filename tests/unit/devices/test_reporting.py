"""How soon a device is expected again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from devices.columns import empty_values
from devices.kinds import load
from devices.reporting import expected_interval_s, own_interval_s

KINDS = load()


@pytest.mark.parametrize(
    ("kind", "measured", "attributes", "seconds"),
    [
        ("bin", {}, {}, 600),
        ("light", {"commanded_dim_pct": 60.0}, {}, 900),
        ("light", {"commanded_dim_pct": 0.0}, {}, 21600),
        ("light", {}, {}, 21600),
        ("drone", {"flight_phase": "spraying"}, {}, 1),
        ("drone", {"flight_phase": "docked"}, {}, 60),
        ("drone", {}, {}, 60),
        ("drone", {"flight_phase": "spraying"}, {"interval_s": 5}, 5),
        ("bin", {}, {"interval_s": "soon"}, 600),
        ("bin", {}, {"interval_s": -1}, 600),
    ],
)
def test_interval_follows_the_state_unless_the_device_has_its_own(
    kind: str, measured: dict[str, Any], attributes: dict[str, Any], seconds: float
) -> None:
    values = empty_values(KINDS[kind], 1)
    for name, value in measured.items():
        values[name][0] = value

    assert expected_interval_s(KINDS[kind], values, np.array([own_interval_s(attributes)])) == [seconds]


def test_each_row_has_the_interval_of_its_own_state() -> None:
    values = empty_values(KINDS["drone"], 4)
    values["flight_phase"][:] = ["docked", "transit", None, "transit"]

    found = expected_interval_s(KINDS["drone"], values, np.array([np.nan, np.nan, np.nan, 7.0]))

    assert found.tolist() == [60.0, 1.0, 60.0, 7.0]
