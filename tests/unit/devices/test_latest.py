"""How soon a device is expected again."""

from __future__ import annotations

from typing import Any

import pytest

from devices.kinds import load
from readings.latest import expected_interval

KINDS = load()


@pytest.mark.parametrize(
    ("kind", "measurements", "attributes", "seconds"),
    [
        ("bin", {}, {}, 600),
        ("light", {"commanded_dim_pct": 60.0}, {}, 900),
        ("light", {"commanded_dim_pct": 0.0}, {}, 21600),
        ("light", {}, {}, 21600),
        ("drone", {"flight_phase": "spraying"}, {}, 1),
        ("drone", {"flight_phase": "docked"}, {}, 60),
        ("drone", {"flight_phase": "spraying"}, {"interval_s": 5}, 5),
        ("bin", {}, {"interval_s": "soon"}, 600),
    ],
)
def test_interval_follows_the_state_unless_the_device_has_its_own(
    kind: str, measurements: dict[str, Any], attributes: dict[str, Any], seconds: float
) -> None:
    assert expected_interval(KINDS[kind], measurements, attributes) == seconds
