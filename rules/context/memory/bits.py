"""Remembered numbers as a state holds them: their bits, turned so that NaN, for "nothing known", is 0.

So rows of a device that never reported are all 0, and take no memory (rules.engine.state). Exact: whatever
is turned is turned back as it was. Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NAN_BITS = int(np.array(np.nan).view(np.int64))


def bits_of(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Return what a state holds of some numbers."""
    bits: NDArray[np.int64] = np.asarray(numbers, dtype=np.float64).view(np.int64) ^ NAN_BITS
    return bits


def numbers_of(bits: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the numbers that a state holds."""
    numbers: NDArray[np.float64] = (bits ^ NAN_BITS).view(np.float64)
    return numbers
