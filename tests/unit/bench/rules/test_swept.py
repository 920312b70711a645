"""The sweeps of the benchmark look at the right instants, at what had been received by then."""

from __future__ import annotations

import numpy as np

from bench.rules.life import Presence
from bench.rules.swept import Sweeps
from bench.rules.town import Numbers, bench_town, registry_of
from devices.columns import Columns
from devices.kinds.kind import ValueType
from rules.language.program import Rule
from rules.loading.files import default_packs
from tests.unit.firmware_sim.build import KINDS

MINUTE = 60_000_000
LAMPS = [f"TRP-LGT-00{i}" for i in range(1, 9)]


def sweeps() -> Sweeps:
    registry = registry_of(bench_town(1, KINDS, Numbers(bins=0, lights=8, drones=0)))
    rules = [Rule(definition=d, version=1) for d in default_packs(KINDS)]
    return Sweeps(rules, KINDS["light"], registry, LAMPS)


def heard(made: Sweeps, minute: float, *, power_w: float = 80.0, volts: float = 230.0) -> None:
    """Let all lamps report at a minute, the first one with another voltage."""
    kind = KINDS["light"]
    registry = registry_of(bench_town(1, KINDS, Numbers(bins=0, lights=8, drones=0)))
    n = len(LAMPS)
    told = {"power_w": power_w, "commanded_dim_pct": 100.0, "voltage_v": 230.0}
    values = {
        m.name: np.full(n, None, dtype=object)
        if m.type is ValueType.TEXT
        else np.full(n, told.get(m.name, np.nan))
        for m in kind.measurements
    }
    values["voltage_v"][0] = volts
    at = np.full(n, round(minute * MINUTE), dtype=np.int64)
    columns = Columns(
        kind=kind,
        device_id=np.array([registry.by_name[name].id for name in LAMPS], dtype=np.int32),
        observed_at=at,
        received_at=at + np.arange(n),
        quality=np.zeros(n, dtype=np.int64),
        boot=np.zeros(n, dtype=np.int64),
        seq=np.zeros(n, dtype=np.int64),
        values=values,
        extra=np.full(n, None, dtype=object),
        message=np.zeros(n, dtype=np.int64),
    )
    made.receive(columns, np.full(n, 15 * MINUTE, dtype=np.int64), ())


def test_circuit_is_down_a_minute_after_its_connections_ended_and_once() -> None:
    made = sweeps()
    heard(made, 0)
    made.connect(Presence(5 * MINUTE, name, online=False) for name in LAMPS[:6])

    found = list(made.until(60 * MINUTE))

    (down,) = [opening for opening in found if opening.rule == "circuit-down"]
    assert down.device == "TRP-CIR-001"
    assert 6 * MINUTE < down.opened_at <= 6 * MINUTE + 20_000_000


def test_circuit_is_down_by_silence_alone_when_its_intervals_are_over() -> None:
    made = sweeps()
    heard(made, 0)

    found = list(made.until(600 * MINUTE))

    (down,) = [opening for opening in found if opening.rule == "circuit-down"]
    assert sorted(opening.device for opening in found if opening.rule == "silent") == LAMPS
    assert 22.5 * MINUTE < down.opened_at <= 22.5 * MINUTE + 20_000_000


def test_nothing_is_known_of_what_has_not_been_received_yet() -> None:
    made = sweeps()
    heard(made, 0)
    heard(made, 20, power_w=0.5)

    assert list(made.until(20 * MINUTE)) == []
    assert [opening.rule for opening in made.until(21 * MINUTE)] == ["circuit-down"]


def test_voltage_apart_is_told_once_it_lasted() -> None:
    made = sweeps()
    for minute in (0, 15, 30, 45):
        heard(made, minute, volts=250.0)

    assert list(made.until(29 * MINUTE)) == []
    (apart,) = made.until(50 * MINUTE)
    assert (apart.rule, apart.device, apart.opened_at) == ("light-voltage-apart", LAMPS[0], 30 * MINUTE)
    assert 30 * MINUTE <= apart.received_at <= 50 * MINUTE
