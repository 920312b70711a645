"""One change of a state that waits to be adopted. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Patch:
    """New values of some columns of one array, for some devices.

    columns: None is all of them, a number or slice the same ones for every device, an array one for each.
    """

    name: str
    slots: NDArray[np.intp]
    columns: slice | int | NDArray[np.intp] | None
    values: NDArray[Any]
