"""What a name probably means that its kind does not declare."""

from __future__ import annotations

import pytest

from devices.kinds import load
from devices.naming import hint, probably

KINDS = load()


@pytest.mark.parametrize(
    ("kind", "name", "meant"),
    [
        ("bin", "temperature", "temperature_c"),
        ("bin", "temperature_f", "temperature_c"),
        ("bin", "temp", "temperature_c"),
        ("bin", "temprature_c", "temperature_c"),
        ("bin", "Temperature_C", "temperature_c"),
        ("bin", "batteryVoltage", "battery_v"),
        ("bin", "battery_mv", "battery_v"),
        ("bin", "battery-level", "battery_pct"),
        ("bin", "fillLevel", "fill_pct"),
        ("bin", "distance_cm", "distance_mm"),
        ("bin", "lat", "lat"),
        ("bin", "latitude", "lat"),
        ("bin", "rssi", "rssi_dbm"),
        ("light", "energy_wh", "energy_kwh"),
        ("light", "burn_seconds", "burn_hours"),
        ("light", "power", "power_w"),
        ("drone", "altitude", "alt_m"),
        ("bin", "firmware", None),
        ("bin", "ultrasonic_gain", None),
        ("bin", "x", None),
        ("bin", "", None),
        ("bin", "devEUI", None),
    ],
)
def test_a_name_one_letter_or_one_unit_away_is_suggested(kind: str, name: str, meant: str | None) -> None:
    assert probably(KINDS[kind], name) == meant


def test_what_the_reading_has_already_is_not_meant_and_a_hint_names_the_unit() -> None:
    assert probably(KINDS["bin"], "battery", {"battery_v"}) == "battery_pct"
    assert hint(KINDS["bin"], "temperature_f") == "temperature_c, in Cel?"
    assert hint(KINDS["bin"], "lidOpen") == "lid_open?"
