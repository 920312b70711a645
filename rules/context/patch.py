"""One change of a state, to be adopted after the commit. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Patch:
    """New values of some columns of one array of a state, for some devices.

    columns: None is all of them, a number or slice the same ones for every device, an array one for each.
    """

    name: str
    state_rows: NDArray[np.intp]
    columns: slice | int | NDArray[np.intp] | None
    values: NDArray[Any]
