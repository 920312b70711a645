"""Which classes of devices are judged apart; adding one is adding an entry here."""

from __future__ import annotations

from collections.abc import Mapping

from bench.rules.apart import drones, intervals, lights, phases, rough, sensors
from bench.rules.apart.device_class import DeviceClass
from firmware_sim.physics.model import HOUR_S

# Few devices for long: a small town has none of them.
_ALL = (
    intervals.regular("10s", 10, days_share=0.08, mean_days=0.4),
    intervals.regular("10m", 600, days_share=1, mean_days=2.5),
    intervals.regular("1h", HOUR_S, days_share=2, mean_days=2.5),
    intervals.regular("8h", 8 * HOUR_S, days_share=3, mean_days=5),
    intervals.regular("24h", 24 * HOUR_S, days_share=4, mean_days=8),
    intervals.irregular(days_share=4, mean_days=8),
    rough.rough(days_share=4),
    sensors.coding(days_share=1),
    sensors.miscounting(days_share=0.5),
    sensors.leaping(days_share=0.04),
    lights.logarithmic(),
    lights.doubtful(),
    phases.phased(),
    drones.wordless(),
)
CLASSES: Mapping[str, DeviceClass] = {one.name: one for one in _ALL}
