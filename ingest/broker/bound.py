"""How many of the waiting messages are taken at once: an intake must not hold up everybody for long.

8 MiB may hold millions of elements: `[1,1,1,...]` has a thousand in 2 KB, each refused by itself. Pure. Must
not know what elements mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, repeat
from operator import not_

import numpy as np

from devices.wire import MAX_ELEMENTS

MOST_ELEMENTS = 200_000
"""Elements of one intake: some seconds of work at the worst, well below a keep-alive."""


def not_objects(payloads: Sequence[bytes]) -> list[int]:
    """Return which payloads may hold more than one element; cheap while they are fresh from the socket."""
    return list(compress(range(len(payloads)), map(not_, map(bytes.startswith, payloads, repeat(b"{")))))


def fitting(payloads: Sequence[bytes], others: Sequence[int]) -> int:
    """Return how many payloads from the first on hold at most MOST_ELEMENTS elements; at least one.

    An object is one element, as nearly every payload is. Of the others commas tell the most there can be;
    an array of more than MAX_ELEMENTS is refused as a whole.
    """
    n = len(payloads)
    if n + len(others) * MAX_ELEMENTS <= MOST_ELEMENTS:
        return n
    elements = np.ones(n, dtype=np.int64)
    elements[others] = [min(MAX_ELEMENTS, payloads[i].count(b",") + 1) for i in others]
    return max(1, int(np.searchsorted(np.cumsum(elements), MOST_ELEMENTS, side="right")))
