"""How many of the waiting messages are taken at once: an intake must not hold up everybody for long.

8 MiB may hold millions of elements: `[1,1,1,...]` has a thousand in 2 KB, each refused by itself. Pure. Must
not know what elements mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from devices.wire import MAX_ELEMENTS
from devices.wire.packed import PackedPayloads

MOST_ELEMENTS = 200_000
"""Elements of one intake: some seconds of work at the worst, well below a keep-alive."""


def fitting(parts: Sequence[PackedPayloads]) -> int:
    """Return how many payloads from the first on hold at most MOST_ELEMENTS elements; at least one.

    An object is one element, as nearly every payload is. Of the others commas tell the most there can be;
    an array of more than MAX_ELEMENTS is refused as a whole.
    """
    elements = np.concatenate(
        [np.where(p.begin_with(b"{"), 1, np.minimum(p.commas + 1, MAX_ELEMENTS)) for p in parts]
    )
    return max(1, int(np.searchsorted(np.cumsum(elements), MOST_ELEMENTS, side="right")))
