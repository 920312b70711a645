"""One street light: photocell, dimming schedule, LED driver, mains and meter.

Pure. The driver's curves are those of a typical dimmable LED luminaire: losses that do not shrink with the
light, and a power factor that falls when dimmed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.grid import Circuit
from firmware_sim.physics.luminaire import RATED_LIFE_H, Wear, settled_deg, sway_deg
from firmware_sim.physics.model import (
    DAY_S,
    HOUR_S,
    REJECTED,
    SECOND,
    CommandAnswer,
    Truth,
    Value,
    number,
    sensed,
    settle,
)
from firmware_sim.physics.weather import Weather

_SWITCH_DEG = -3.0
"""Sun elevation at which a photocell switches, about 20 lx."""
_METER_FAILED = 65535.0
_HEALTHY_DAYS = 10.0
"""A slow failure begins only after so many days without another: else nobody could know what was normal."""
_STEADY_S = 3600.0
_DARK_S = 300.0
"""A lamp without light for so long is dark to whoever stands below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LampSite:
    """Where a lamp stands: its rating, its meter's past, and the town's clock (weekday, hour)."""

    rated_power_w: float
    first_energy_kwh: float
    first_burn_hours: float
    local_hour: Callable[[int], tuple[int, float]]


def scheduled_dim_pct(hour: float, night_pct: float) -> float:
    """Full light in the evening, 60 % from 23 h, `night_pct` from 1 h, full again from 5 h."""
    if hour >= 23.0 or hour < 1.0:
        return 60.0
    return night_pct if 1.0 <= hour < 5.0 else 100.0


class Light:
    """A luminaire with its controller."""

    def __init__(
        self,
        site: LampSite,
        circuit: Circuit,
        weather: Weather,
        interval_cap_s: float | None,
        rng: np.random.Generator,
    ) -> None:
        self._site = site
        self._circuit = circuit
        self._weather = weather
        self._cap = interval_cap_s
        self._rng = rng
        self._interval: float | None = None
        self._now: int | None = None
        self._switch_deg = _SWITCH_DEG + float(rng.normal(0.0, 0.4))
        self._drop_v = float(rng.uniform(0.0, 4.0))
        self._standby_w = float(rng.uniform(0.4, 1.2))
        self._lean_deg = float(rng.uniform(0.0, 1.5))
        self._override: float | None = None
        self._night_pct = 40.0
        self._causes: set[str] = set()
        self._stuck_pct = 100.0
        self._shift_v = 0.0
        self._fade_s = float(rng.uniform(4.0, 50.0))
        self._factor_off = float(rng.normal(0.0, 0.004))
        self._settles_deg = float(rng.uniform(0.0, 2.0))
        self._first: int | None = None
        self._healthy_since = 0
        self.wear = Wear()
        self._struck = 0.0
        self._unlit = False
        self._lit_h = 0.0
        self.commanded_pct = 0.0
        self.output_pct = 0.0
        self.power_w = self._standby_w
        self.voltage_v = 230.0
        self.driver_c = 20.0
        self.energy_kwh = site.first_energy_kwh
        self.burn_hours = site.first_burn_hours

    @property
    def rated_power_w(self) -> float:
        """What it draws at full light."""
        return self._site.rated_power_w

    def step(self, now: int) -> bool:
        """Follow sun, schedule and mains until `now`; True when the lamp was told something else."""
        first = self._now is None
        dt = 0.0 if self._now is None else (now - self._now) / SECOND
        self._now = now
        if self._first is None:
            self._first = self._healthy_since = now
        was = (self.commanded_pct, self._mains_wrong())
        self.commanded_pct = self._command(now)
        self.output_pct = settle(self.output_pct, self._driven(), _STEADY_S if first else dt, self._fade_s)
        blinked = self.wear.blink(now, wanted=self.commanded_pct > 0.0)
        self.voltage_v = self._mains(now)
        self.power_w = self._power()
        self.energy_kwh += self.power_w * dt / HOUR_S / 1000.0
        lit_h = dt / HOUR_S if self.power_w > 5.0 else 0.0
        self.burn_hours += lit_h
        told_in_vain = self._is_open() and self.commanded_pct > 0.0
        self._unlit = told_in_vain or (self._unlit and self._light_level() < 0.05)
        self._lit_h += lit_h
        warm = (
            self._weather.temperature_c(now) + 28.0 * self.wear.heat * self.power_w / self._site.rated_power_w
        )
        self.driver_c = warm if first else settle(self.driver_c, warm, dt, 900.0)
        struck, self._struck = self._struck != self.wear.struck_deg, self.wear.struck_deg
        return not first and (blinked or struck or was != (self.commanded_pct, self._mains_wrong()))

    def _command(self, now: int) -> float:
        if self._override is not None:
            return self._override
        dark = self._weather.sun_deg(now) < self._switch_deg or "blind_photocell" in self._causes
        return scheduled_dim_pct(self._site.local_hour(now)[1], self._night_pct) if dark else 0.0

    def _driven(self) -> float:
        """What the driver does with what it is told."""
        if self.commanded_pct == 0.0:
            return 0.0
        if "stuck_bright" in self._causes:
            return 100.0
        if "stuck_dimming" in self._causes:
            return self._stuck_pct
        return 20.0 if "stuck_dim" in self._causes else self.commanded_pct

    def _mains(self, now: int) -> float:
        volts = self._circuit.voltage_v(now) - self._drop_v + self._shift_v
        if "loose_neutral_high" in self._causes:
            volts += 36.0
        if "loose_neutral_low" in self._causes:
            volts -= 45.0
        return volts

    def _mains_wrong(self) -> bool:
        return abs(self.voltage_v - 230.0) > 25.0

    def _is_open(self) -> bool:
        """Tell whether the LEDs get no current."""
        return "open_led" in self._causes or self.wear.dark_share > 0.0

    def _light_level(self) -> float:
        """Fraction of full light that really leaves the lamp."""
        if self._is_open() or not self.wear.lit:
            return 0.0
        if "welded_relay" in self._causes and self.output_pct < 1.0:
            return 1.0
        return self.output_pct / 100.0

    def _power(self) -> float:
        level = self._light_level()
        if level < 0.01:
            driver_w = self.wear.dark_share * self._site.rated_power_w if self.commanded_pct > 0.0 else 0.0
            return max(self._standby_w, driver_w)
        leds = 0.93 * math.pow(level, 1.08) * (1.0 - self.wear.dead_share)
        aged = 1.0 - 4e-6 * self._lit_h
        warm = 1.0 - 0.001 * (self._weather.temperature_c(self._now or 0) - 20.0)
        return self._site.rated_power_w * (0.07 + leds) * aged * warm

    def measure(self) -> dict[str, Value]:
        """Return what the controller's meter and sensors say."""
        noise = self._rng.normal(0.0, 1.0, 6)
        level = self._light_level()
        factor = 0.35
        if level >= 0.01:
            factor = 0.975 - 0.42 * (1.0 - level) ** 2 + self._factor_off - self.wear.deficit
        volts = self.voltage_v + 0.2 * float(noise[0])
        power = self.power_w * (1.0 + 0.004 * float(noise[1]))
        lux = self._weather.daylight_lux(self._now or 0) * 0.6 + 22.0 * level
        broken = self._rng.random() < 2e-4
        return {
            "power_w": _METER_FAILED if broken else sensed(power, 1),
            "voltage_v": sensed(volts, 1),
            "current_a": sensed(power / (volts * factor), 3),
            "power_factor": sensed(min(1.0, factor + 0.003 * float(noise[2])), 2),
            "dim_pct": sensed(self.output_pct, 0),
            "commanded_dim_pct": sensed(self.commanded_pct, 0),
            "energy_kwh": sensed(self.energy_kwh, 3),
            "burn_hours": sensed(self.burn_hours, 2),
            "driver_temperature_c": sensed(self.driver_c + 0.1 * float(noise[3]), 1),
            "lux": sensed(max(0.0, lux * (1.0 + 0.02 * float(noise[4]))), 1),
            "tilt_deg": sensed(self._tilt_deg(float(noise[4])), 1),
            "rssi_dbm": sensed(-78.0 + 3.0 * float(noise[5]), 0),
        }

    def _tilt_deg(self, noise: float) -> float:
        now = self._now or 0
        age_s = (now - (self._first or now)) / SECOND
        lean = self._lean_deg + settled_deg(age_s, self._settles_deg) + self.wear.struck_deg
        return lean + sway_deg(self._weather.wind_mps(now), noise)

    def interval_s(self) -> float:
        """Report every 15 minutes while lit, four times a day when off."""
        if self._interval is not None:
            return self._interval
        every = 900.0 if self.commanded_pct >= 1.0 or self._light_level() > 0.05 else 21_600.0
        return min(every, self._cap or every)

    def tick_s(self) -> float:
        """Dusk and dawn are watched once a minute, blinking closely; in between little happens."""
        if self.wear.period_s > 0.0 and self.commanded_pct > 0.0:
            return min(20.0, self.wear.period_s / 6.0)
        twilight = abs(self._weather.sun_deg(self._now or 0)) < 8.0
        return 60.0 if twilight else 300.0

    def truth(self) -> Mapping[str, Truth]:
        """What is really wrong with this lamp."""
        wear, told = self.wear, self.commanded_pct > 0.0
        lit = self._light_level() > 0.05
        sun = self._weather.sun_deg(self._now or 0)
        astray = abs(self.output_pct - self.commanded_pct)
        dark = self._is_open()
        # What goes on and off slowly is dark each time; nobody must tell it.
        blinks = told and wear.dark_s(self._now or 0) >= _DARK_S
        worn = self.burn_hours - RATED_LIFE_H
        # What is broken stays broken while nobody can see it: by day, or while dimmed. What was repaired by
        # day is broken to everybody until it lights.
        return {
            "light-lamp-failure": Truth(
                holds=(dark and told) or blinks, near=dark or self._unlit, hidden=blinks and not dark
            ),
            "light-day-burner": Truth(holds=lit and sun > 3.0, near=lit and sun > 2.0),
            # More than ten whole points: controllers know no halves.
            "light-dimming-failure": Truth(holds=told and astray > 10.5, near=told and astray > 7.5),
            "light-over-voltage": Truth(holds=self.voltage_v > 253.0, near=self.voltage_v > 250.0),
            "light-under-voltage": Truth(holds=self.voltage_v < 207.0, near=self.voltage_v < 210.0),
            "light-partial-failure": Truth(holds=0.93 * wear.dead_share > 0.15),
            "light-cycling": Truth(holds=len(wear.switches) > 6, near=len(wear.switches) > 3),
            "light-low-power-factor": Truth(holds=lit and wear.deficit > 0.05, near=wear.deficit > 0.05),
            "light-high-temperature": Truth(holds=self.driver_c > 85.0, near=self.driver_c > 70.0),
            "light-pole-hit": Truth(holds=wear.struck_deg > 5.0),
            "light-end-of-life": Truth(holds=worn > 0.0, near=worn > -0.5),
        }

    def ready(self, cause: str) -> bool:
        """Things break at any time; a slow failure needs a past to be told from."""
        if cause != "dead_modules":
            return True
        return (self._now or 0) - self._healthy_since > _HEALTHY_DAYS * DAY_S * SECOND

    def begin(self, cause: str) -> None:
        """Break LEDs, relay, photocell, dimming line, neutral, or what wears out."""
        self._causes.add(cause)
        match cause:
            case "stuck_dimming":
                self._stuck_pct = float(self._rng.uniform(10.0, 100.0))
            case "neutral_shift":
                up = self._rng.random() < 0.5
                self._shift_v = float(self._rng.uniform(10.0, 42.0) if up else self._rng.uniform(-55.0, -8.0))
            case "old_lamp":
                self.burn_hours = RATED_LIFE_H - float(self._rng.uniform(0.5, 25.0))
            case _:
                self.wear.begin(cause, self._now or 0, self._rng)

    def end(self, cause: str) -> None:
        """Repair it."""
        self._causes.discard(cause)
        self._healthy_since = self._now or 0
        match cause:
            case "neutral_shift":
                self._shift_v = 0.0
            case "old_lamp":
                self.burn_hours = 0.0
            case _:
                self.wear.end(cause)

    def command(self, name: str, args: Mapping[str, object]) -> CommandAnswer:
        """Obey set_dimming, resume_schedule, set_night_pct and set_interval."""
        match name:
            case "set_dimming":
                level = number(args, "pct", 0, 100)
                if level is None:
                    return CommandAnswer(status="failed", detail="pct: 0..100")
                self._override = level
            case "resume_schedule":
                self._override = None
            case "set_night_pct":
                level = number(args, "night_pct", 10, 100)
                if level is None:
                    return CommandAnswer(status="failed", detail="night_pct: 10..100")
                self._night_pct = level
            case "set_interval":
                every = number(args, "interval_s", 1, 86400)
                if every is None:
                    return CommandAnswer(status="failed", detail="interval_s: 1..86400")
                self._interval = every
                return CommandAnswer(status="succeeded", result={"interval_s": every})
            case _:
                return REJECTED
        return CommandAnswer(status="succeeded", result={"commanded_dim_pct": self._override})
