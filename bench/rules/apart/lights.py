"""Lamps whose level is no share of their power, and lamps whose meters contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bench.rules.apart.device_class import DeviceClass
from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.feed import FedLight
from firmware_sim.physics.model import DAY_S, HOUR_S, Truth, Value, sensed
from firmware_sim.plan import Cause
from firmware_sim.specs import SimulatedDevice

_STUCK_METER = "stuck_meter"
_LOSSES = 0.02
_FULL_PCT = 95.0
_DARK = Cause(name="dark_led", shortest_s=HOUR_S, longest_s=2 * DAY_S, weight=1.3)


def _logarithmic_share(level_pct: float) -> float:
    """Return the share of its power that a lamp draws at a level of IEC 62386-102."""
    return float(_LOSSES + (1.0 - _LOSSES) * 10.0 ** ((level_pct / 100.0 - 1.0) * 254.0 * 3.0 / 253.0))


class LogarithmicLight(SurroundedDevice[FedLight]):
    """A lamp that takes levels as DALI does: half of them is a twentieth of the power."""

    def measure(self) -> dict[str, Value]:
        """Return what its sensors say, with the power of its own scale where it is lit."""
        values = self._inner.measure()
        level, watts, amperes = (float(values[n] or 0.0) for n in ("dim_pct", "power_w", "current_a"))
        linear = self._inner.lamp.rated_power_w * (0.07 + 0.93 * (level / 100.0) ** 1.08)
        if level < 1.0 or not 0.3 * linear < watts < 1.5 * linear:
            return values
        lower = self._inner.lamp.rated_power_w * _logarithmic_share(level) / linear
        return values | {
            "power_w": sensed(watts * lower, 1),
            "current_a": sensed(amperes * lower, 3),
            "energy_kwh": None,
        }

    def truth(self) -> Mapping[str, Truth]:
        """Return what is wrong. Dimmed, a driver without its lamp draws as much as one that lights."""
        truth, dimmed = dict(self._inner.truth()), self._inner.lamp.commanded_pct < _FULL_PCT
        failed = truth["light-lamp-failure"]
        return truth | {"light-lamp-failure": replace(failed, hidden=failed.hidden or dimmed)}


class DoubtfulLight(SurroundedDevice[FedLight]):
    """A lamp whose power meter may stop at nothing, while current flows."""

    def __init__(self, inner: FedLight) -> None:
        super().__init__(inner)
        self._stuck = False

    def measure(self) -> dict[str, Value]:
        """Return what its sensors say, without power while the meter is stuck."""
        return self._inner.measure() | ({"power_w": 0.0} if self._stuck else {})

    def truth(self) -> Mapping[str, Truth]:
        """Return what is wrong: nobody can know a stuck meter while there is nothing to measure."""
        lit = self._inner.lamp.power_w > 0.25 * self._inner.lamp.rated_power_w
        return dict(self._inner.truth()) | {
            "light-meter-fault": Truth(holds=self._stuck and lit, near=self._stuck)
        }

    def begin(self, cause: str) -> None:
        """Stop the meter, or break something else."""
        if cause == _STUCK_METER:
            self._stuck = True
        else:
            self._inner.begin(cause)

    def end(self, cause: str) -> None:
        """Repair it."""
        if cause == _STUCK_METER:
            self._stuck = False
        else:
            self._inner.end(cause)


def logarithmic() -> DeviceClass:
    """Return lamps with logarithmic levels; nobody has told the registry."""
    return DeviceClass(
        name="lights-logarithmic",
        kind="light",
        days_share=0.6,
        mean_days=2,
        causes=(
            _DARK,
            Cause(name="welded_relay", shortest_s=HOUR_S, longest_s=DAY_S),
            Cause(name="stuck_dimming", shortest_s=HOUR_S, longest_s=DAY_S),
            Cause(name="neutral_shift", shortest_s=600, longest_s=DAY_S),
        ),
        around=_around(lambda inner: LogarithmicLight(inner)),
        rules=frozenset({"light-lamp-failure", "light-dimming-failure", "light-under-voltage"}),
    )


def doubtful() -> DeviceClass:
    """Return lamps whose meters contradict each other now and then."""
    stuck = Cause(name=_STUCK_METER, shortest_s=HOUR_S, longest_s=2 * DAY_S, weight=1.3)
    return DeviceClass(
        name="lights-doubtful",
        kind="light",
        days_share=0.6,
        mean_days=2,
        causes=(_DARK, stuck),
        around=_around(DoubtfulLight),
        rules=frozenset({"light-lamp-failure", "light-meter-fault"}),
    )


def _around(
    make: Callable[[FedLight], SurroundedDevice[FedLight]],
) -> Callable[[SimulatedDevice, int], SimulatedDevice]:
    def around(device: SimulatedDevice, seed: int) -> SimulatedDevice:
        assert device.physics is not None
        fed = device.physics()
        assert isinstance(fed, FedLight)
        made = make(fed)
        return replace(device, physics=lambda: made)

    return around
