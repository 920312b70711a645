"""Three truths as float64 arrays: 1 is true, 0 is false, NaN is undecided.

Pure. `and` and `or` are decided by one operand where it is enough: false and undecided is false.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Truth = NDArray[np.float64]


def both(a: Truth, b: Truth) -> Truth:
    """Return `a and b`."""
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def either(a: Truth, b: Truth) -> Truth:
    """Return `a or b`."""
    return np.where((a == 1) | (b == 1), 1.0, a + b)


def negated(a: Truth) -> Truth:
    """Return `not a`."""
    return 1.0 - a


def decided(outcome: NDArray[np.bool_], undecided: NDArray[np.bool_]) -> Truth:
    """Return the outcome as truth, undecided where `undecided` is True."""
    truth = outcome.astype(np.float64)
    truth[undecided] = np.nan
    return truth


def missing(texts: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which texts are None."""
    return np.array([text is None for text in texts], dtype=np.bool_)
