"""How many of the waiting messages are taken at once: an intake must not hold up everybody for long.

8 MiB may hold millions of elements: `[1,1,1,...]` has a thousand in 2 KB, each refused by itself. Pure. Must
not know what elements mean.
"""

from __future__ import annotations

import numpy as np

from devices.wire import MAX_ELEMENTS
from devices.wire.packed import PackedPayloads

MOST_ELEMENTS = 200_000
"""Elements of one intake: some seconds of work at the worst, well below a keep-alive."""


def fitting(payloads: PackedPayloads, room: int) -> tuple[int, int]:
    """Return how many payloads from the first on hold at most `room` elements, and how many these hold.

    An object is one element, as nearly every payload is. Of the others commas tell the most there can be;
    an array of more than MAX_ELEMENTS is refused as a whole.
    """
    commas = np.minimum(payloads.commas + 1, MAX_ELEMENTS)
    elements = np.cumsum(np.where(payloads.begin_with(b"{"), 1, commas))
    n = int(np.searchsorted(elements, room, side="right"))
    return n, int(elements[n - 1]) if n else 0
