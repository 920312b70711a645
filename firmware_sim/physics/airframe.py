"""What goes wrong with an aircraft in months, and by how much. Pure.

Only magnitudes; what they do to flight, energy and spraying is physics/drone.py's and physics/sprayer.py's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.flight import Point

_LITTLE = 0.3
"""Share of troubles that are too small to matter."""


@dataclass(slots=True, kw_only=True)
class AirframeFaults:
    """Magnitudes; everything at its default is as new.

    open_share: of the nozzles. rate: factor on the dose that was loaded. rest_v, load_v: how far one cell
    falls behind, at rest and on top of it under full load. hotter_c: how much hotter the pack runs.
    leak_lpm: past the flow meter. shift: metres by which the rows are wrong. climbs_to_m: instead of the
    usual height, 0 for none. jammed: satellites are drowned out.
    """

    open_share: float = 1.0
    rate: float = 1.0
    rest_v: float = 0.0
    load_v: float = 0.0
    hotter_c: float = 0.0
    leak_lpm: float = 0.0
    pump_stopped: bool = False
    shift: Point = (0.0, 0.0)
    climbs_to_m: float = 0.0
    jammed: bool = False

    def shifted(self, at: Point) -> Point:
        """Return where the autopilot really flies."""
        return at[0] + self.shift[0], at[1] + self.shift[1]

    def begin(self, cause: str, rng: np.random.Generator) -> None:
        """Draw how bad it is."""
        little = bool(rng.random() < _LITTLE)
        match cause:
            case "clogged_partly":
                self.open_share = float(rng.uniform(0.15, 0.55))
            case "rate_off":
                off = float(rng.uniform(0.02, 0.1) if little else rng.uniform(0.17, 0.5))
                self.rate = 1.0 + off * (1.0 if rng.random() < 0.5 else -1.0)
            case "weak_pack":
                self.rest_v = float(rng.uniform(0.02, 0.06) if little else rng.uniform(0.11, 0.3))
                self.load_v = float(rng.uniform(0.02, 0.1) if little else rng.uniform(0.22, 0.4))
            case "blocked_fan":
                self.hotter_c = float(rng.uniform(3.0, 8.0) if little else rng.uniform(60.0, 110.0))
            case "leak":
                self.leak_lpm = float(rng.uniform(0.05, 0.3) if little else rng.uniform(1.2, 6.0))
            case "pump_stop":
                self.pump_stopped = True
            case "off_course":
                metres = float(rng.uniform(0.5, 2.0) if little else rng.uniform(5.0, 18.0))
                self.shift = (0.0, metres * (1.0 if rng.random() < 0.5 else -1.0))
            case "climbs":
                self.climbs_to_m = float(rng.uniform(8.0, 25.0) if little else rng.uniform(31.5, 60.0))
            case "jammed":
                self.jammed = True

    def end(self, cause: str) -> None:
        """Repair it."""
        match cause:
            case "clogged_partly":
                self.open_share = 1.0
            case "rate_off":
                self.rate = 1.0
            case "weak_pack":
                self.rest_v = self.load_v = 0.0
            case "blocked_fan":
                self.hotter_c = 0.0
            case "leak":
                self.leak_lpm = 0.0
            case "pump_stop":
                self.pump_stopped = False
            case "off_course":
                self.shift = (0.0, 0.0)
            case "climbs":
                self.climbs_to_m = 0.0
            case "jammed":
                self.jammed = False
