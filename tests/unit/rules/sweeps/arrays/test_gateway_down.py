"""Gateways that share devices, over arrays: a device that another gateway could relay tells little of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from devices.registry.registry import Device, Registry
from rules.loading.files import parse
from rules.sweeps.core.children_down import tells_of_parent
from rules.trial.sweep_backtest import SweepBacktest
from tests.unit.rules.readings import KINDS, MINUTE, NOON, SENTENCES, at, columns_of
from tests.unit.rules.sweeps.arrays.town import device, town

DOWN = (
    f"- id: down\n  kind: gateway\n  family: sweep\n  {SENTENCES}\n"
    "  children_down: {of: any, share: 80%, at_least: 3, missing: 2.5 intervals, severity: major}\n"
)


def down(silent: Sequence[int], *devices: Device) -> list[int]:
    """Return the gateways that are told to be down, where some devices are silent from noon on."""
    everybody = [device(1, "gateway"), device(2, "gateway"), *devices]
    registry = Registry(
        devices={d.id: d for d in everybody},
        by_name={d.name: d for d in everybody},
        municipalities={"tripoli": town()},
    )
    backtest = SweepBacktest(KINDS["bin"], parse(DOWN, KINDS), registry, start=NOON - 1000 * MINUTE)
    backtest.feed(
        columns_of(
            [
                at(minute, device=d.id, fill_pct=10.0)
                for minute in range(0, 121, 10)
                for d in devices
                if minute == 0 or d.id not in silent
            ]
        )
    )
    backtest.advance(NOON + 121 * MINUTE)
    return [e.device_id for e in backtest.episodes("down")]


def behind(number: int, *gateways: int) -> Device:
    return replace(device(number, interval_s=600), relays=tuple(f"D-{g}" for g in gateways))


def test_gateway_is_judged_by_the_devices_it_alone_relays() -> None:
    own = [behind(n, 1) for n in (11, 12, 13)]
    shared = [behind(n, 1, 2) for n in (21, 22, 23, 24)]

    assert down([11, 12, 13], *own, *shared) == [1]


def test_flat_batteries_of_shared_devices_are_no_dead_gateway() -> None:
    own = [behind(n, 1) for n in (11, 12, 13)]
    shared = [behind(n, 1, 2) for n in (21, 22, 23)]

    assert down([21, 22, 23], *own, *shared) == [2], "of the second nothing else is known"


def test_both_gateways_are_down_once_all_that_they_share_is_silent() -> None:
    shared = [behind(n, 1, 2) for n in (21, 22, 23, 24)]

    assert down([21, 22, 23, 24], *shared) == [1, 2]


def test_children_of_a_parent_without_enough_of_its_own_all_tell() -> None:
    parent = np.array([1, 1, 1, 1, 2, 2, 2])
    alone = np.array([True, True, True, False, True, False, False])

    assert tells_of_parent(parent, alone, 3).tolist() == [True, True, True, False, True, True, True]
