"""A backtest expects a device from its installation on, and a planned one never."""

from __future__ import annotations

from dataclasses import replace

from devices.instants import to_datetime
from devices.registry.registry import Device, Registry
from rules.loading.files import parse
from rules.trial.sweep_backtest import SweepBacktest
from tests.unit.rules.readings import KINDS, MINUTE, NOON, SENTENCES, at, columns_of
from tests.unit.rules.sweeps.arrays.town import device, town

SILENT = (
    f"- id: quiet\n  kind: bin\n  family: sweep\n  {SENTENCES}\n"
    "  silent: {missing: 3 intervals, severity: minor}\n"
)


def silences(*devices: Device) -> list[tuple[int, float]]:
    """Return who is told to be silent, and when it began, where each spoke at noon only."""
    registry = Registry(
        devices={d.id: d for d in devices},
        by_name={d.name: d for d in devices},
        municipalities={"tripoli": town()},
    )
    backtest = SweepBacktest(KINDS["bin"], parse(SILENT, KINDS), registry, start=NOON - 1000 * MINUTE)
    backtest.feed(columns_of([at(0, device=d.id, fill_pct=10.0) for d in devices]))
    backtest.advance(NOON + 600 * MINUTE)
    return [(e.device_id, (e.opened_at - NOON) / MINUTE) for e in backtest.episodes("quiet")]


def test_only_what_was_heard_since_the_installation_can_fall_silent() -> None:
    standing = device(1, interval_s=600)
    planned = replace(device(2, interval_s=600), installed_at=None)
    later = replace(device(3, interval_s=600), installed_at=to_datetime(NOON + 60 * MINUTE))

    assert [who for who, _ in silences(standing, planned, later)] == [1]
