"""Which devices will soon reach a level, and which no longer will.

Pure. Must not know how a forecast is made (rules.forecast) or where it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.definition.families import Forecast
from rules.forecast import prediction
from rules.forecast.prediction import FillForecast

Bools = NDArray[np.bool_]

SPEAKS_WITHIN_US = 86_400_000_000
"""A device that sent nothing for so long begins no alert: what is known of it is too old."""
SPEAKS_INTERVALS = 2.5
"""Nor one that missed two of its own intervals, where those are longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastVerdict:
    """What forecasts say, (n,) each: the level is near enough for an alert, or far enough to end one."""

    soon: Bools
    far: Bools


def judge(family: Forecast, found: FillForecast) -> ForecastVerdict:
    """Compare forecasts with what a rule asks for; nothing is both near and far."""
    far = prediction.is_far(found, family.clear_us / 1e6)
    soon = prediction.is_soon(found, family.reaches, family.within_us / 1e6)
    return ForecastVerdict(soon=soon & ~far, far=far)
