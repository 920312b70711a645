"""Whether two decoders say the same of some payloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.wire import Decoded, Rejected

Answer = tuple[Decoded, list[Rejected]]


def differences(one: Answer, other: Answer) -> list[str]:
    """Return where the answers differ, down to the last bit of a number and the order of what is refused."""
    (a, refused_a), (b, refused_b) = one, other
    found = []
    columns = {
        name: (getattr(a, name), getattr(b, name))
        for name in ("message", "element", "instant", "boot", "seq", "extra")
    }
    columns |= {name: (column, b.values[name]) for name, column in a.values.items()}
    if list(a.values) != list(b.values):
        found.append(f"columns {list(a.values)} and {list(b.values)}")
    for name, (mine, theirs) in columns.items():
        if mine.dtype != theirs.dtype or mine.shape != theirs.shape:
            found.append(f"{name}: {mine.dtype}{mine.shape} and {theirs.dtype}{theirs.shape}")
        elif not _same(mine, theirs).all():
            row = int(np.argmin(_same(mine, theirs)))
            found.append(f"{name}, row {row} of message {a.message[row]}: {mine[row]!r} and {theirs[row]!r}")
    if refused_a != refused_b:
        at = next((i for i, (x, y) in enumerate(zip(refused_a, refused_b, strict=False)) if x != y), -1)
        found.append(f"refused: {refused_a[at : at + 1]} and {refused_b[at : at + 1]}")
    return found


def _same(mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    if mine.dtype == np.float64:
        same_bits = mine.view(np.int64) == theirs.view(np.int64)
        return np.asarray(same_bits | (np.isnan(mine) & np.isnan(theirs)))
    if mine.dtype == object:
        equal = [x == y and type(x) is type(y) for x, y in zip(mine, theirs, strict=True)]
        return np.array(equal, dtype=np.bool_)
    return np.asarray(mine == theirs)


def culprit(payloads: Sequence[bytes], differ: Any) -> list[bytes]:
    """Return few of the payloads that still differ together."""
    found = list(payloads)
    while len(found) > 1:
        half = len(found) // 2
        for part in (found[:half], found[half:]):
            if differ(part):
                found = part
                break
        else:
            break
    return found
