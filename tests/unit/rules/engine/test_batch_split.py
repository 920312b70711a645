"""However a history is cut into batches, the default rules say the same, to the last digit of evidence."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from alerts.transition import Transition
from devices.kinds.kind import CLOCK_CORRECTED, CLOCK_UNSET, INTERVAL
from rules.context.attributes import Facts
from rules.loading.files import PACKS
from tests.unit.rules.histories import LONG
from tests.unit.rules.readings import KINDS, Evaluator, Reading, at

SQUARE = {"type": "Polygon", "coordinates": [[[13, 32], [14, 32], [14, 33], [13, 33], [13, 32]]]}
FACTS = {
    device: Facts(
        attributes={"geofence": SQUARE, "zone_area": SQUARE, "home_lat": 32.5, "home_lon": 13.5},
        lat=32.9,
        lon=13.2,
    )
    for device in (1, 2, 3)
}
HOURLY = {device: Facts(attributes={INTERVAL: 3600.0}) for device in FACTS}
SEEDS = range(8 if LONG else 1)
PHASES = ("docked", "takeoff", "transit", "spraying", "returning", "landing")


def drawn(kind: str, dice: random.Random) -> dict[str, Any]:
    """Return values around the limits of the default rules, some of them missing."""
    values: dict[str, Any] = {
        "fill_pct": dice.choice([60, 84, 86, 96]), "distance_mm": dice.choice([200, 201, 900, 902]),
        "temperature_c": dice.choice([20, 46, 60, 75]), "tilt_deg": dice.choice([1, 2, 50]),
        "battery_v": dice.choice([3.1, 3.4, 3.6]), "battery_pct": dice.uniform(5, 60),
        "power_w": dice.choice([0.6, 40, 60, 88, 92]), "voltage_v": dice.choice([190, 205, 230, 255]),
        "power_factor": dice.choice([0.8, 0.95]), "dim_pct": dice.choice([0, 40, 100]),
        "commanded_dim_pct": dice.choice([0, 40, 100, 100]), "burn_hours": dice.uniform(49_990, 50_010),
        "driver_temperature_c": dice.choice([50, 88, 102]), "flight_phase": dice.choice(PHASES),
        "lat": dice.choice([32.9, 32.9004, 33.1]), "lon": 13.2, "speed_mps": dice.choice([1.0, 4.0]),
        "wind_mps": 3.0, "flow_lpm": dice.choice([0.2, 5.0, 12.0]), "pressure_bar": dice.choice([2.0, 4.6]),
        "application_l_ha": dice.choice([100, 120]), "gnss_fix": dice.choice([2, 4]),
        "alt_m": dice.choice([3, 33]), "tank_l": dice.uniform(5, 30),
        "cell_spread_v": dice.choice([0.05, 0.2, 0.4]), "battery_temperature_c": dice.choice([30, 62, 72]),
    }  # fmt: skip
    known = {m.name for m in KINDS[kind].measurements}
    return {name: value for name, value in values.items() if name in known and dice.random() > 0.03}


def history(kind: str, dice: random.Random, readings: int) -> list[Reading]:
    """Return readings of three devices in runs of alike values, with gaps, repeats and late ones."""
    minute = dict.fromkeys((1, 2, 3), 0.0)
    values = {device: drawn(kind, dice) for device in minute}
    step = {"bin": 10.0, "light": 15.0, "drone": 1 / 60}[kind]
    found = []
    for _ in range(readings):
        device = dice.choice((1, 1, 2, 3))
        minute[device] += step * dice.choice([1, 1, 1, 1, 1, 1, 2, 0.3, 30, 0, -2])
        if dice.random() < 0.3:
            values[device] |= {
                name: value for name, value in drawn(kind, dice).items() if dice.random() < 0.2
            }
        found.append(at(minute[device], device, **values[device]))
    return found


def standing_still(kind: str, dice: random.Random, readings: int) -> list[Reading]:
    """Return hourly readings of three devices whose values, clocks and networks stay as they are for days."""
    minute = dict.fromkeys((1, 2, 3), 0.0)
    values = {device: drawn(kind, dice) for device in minute}
    lag_s, quality = dict.fromkeys(minute, 1.0), dict.fromkeys(minute, 0)
    found = []
    for _ in range(readings):
        device = dice.choice((1, 2, 3))
        minute[device] += 60 * dice.choice([1] * 20 + [0, -2, 0.3, 30])
        if dice.random() < 0.02:
            values[device] = drawn(kind, dice)
        if dice.random() < 0.05:
            lag_s[device] = dice.choice([1.0, 1.0, 700.0, 3600.0])
        if dice.random() < 0.1:
            quality[device] = dice.choice([0, 0, 0, CLOCK_CORRECTED, CLOCK_UNSET])
        jitter_s = dice.choice([0.0, 0.0, 0.0, 5.0, 90.0])
        received = minute[device] + (lag_s[device] + jitter_s) / 60
        found.append(
            Reading(
                minute=minute[device],
                device=device,
                values=dict(values[device]),
                received=received,
                quality=quality[device],
            )
        )
    return found


def plain(transitions: list[Transition]) -> list[tuple[Any, ...]]:
    """Return what must not depend on where batches are cut."""
    return [(t.rule, t.device_id, t.from_state, t.to_state, t.observed_at, t.evidence) for t in transitions]


def cut_anyhow(
    pack: str, kind: str, readings: list[Reading], dice: random.Random, facts: Mapping[int, Facts] = FACTS
) -> list[Transition]:
    """Return what a pack says of a history, the same however it is cut."""
    text, n = (PACKS / f"{pack}.yaml").read_text(encoding="utf-8"), len(readings)
    cuts = sorted(dice.sample(range(1, n), dice.choice([3, 40, 200])))

    whole = Evaluator(text, KINDS[kind], facts).feed(*readings)
    one_by_one = Evaluator(text, KINDS[kind], facts).feed_cut(readings, range(1, n))
    cut = Evaluator(text, KINDS[kind], facts).feed_cut(readings, cuts)

    assert plain(whole) == plain(cut) == plain(one_by_one)
    return whole


@pytest.mark.parametrize("kind", ["bin", "light", "drone"])
@pytest.mark.parametrize("seed", SEEDS)
def test_batch_split_changes_no_transition_of_the_default_rules(kind: str, seed: int) -> None:
    dice = random.Random(f"{kind} {seed}")

    found = cut_anyhow(kind, kind, history(kind, dice, 400), dice)

    assert len(found) > 10


@pytest.mark.parametrize("kind", ["bin", "light", "drone"])
@pytest.mark.parametrize("seed", SEEDS)
def test_batch_split_changes_no_transition_of_the_rules_for_any_kind(kind: str, seed: int) -> None:
    dice = random.Random(f"any {kind} {seed}")

    found = cut_anyhow("any", kind, standing_still(kind, dice, 500), dice, HOURLY)

    assert {t.rule for t in found} == {"frozen-values", "clock-wrong"}
    assert len(found) > 10
