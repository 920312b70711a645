"""What payloads of one kind become: columns whose rows know which message they came in. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True, kw_only=True)
class Decoded:
    """Elements of one kind, n rows in the order sent; times are the device's, not corrected.

    message, element: (n,) int32, the message's index and the position in its array (LONE: no array).
    instant: (n,) int64 microseconds of device time, instants.ABSENT without `ts`.
    boot, seq: (n,) int64, MISSING when absent.
    values, extra: as in devices.columns.Columns.
    """

    message: NDArray[np.int32]
    element: NDArray[np.int32]
    instant: NDArray[np.int64]
    boot: NDArray[np.int64]
    seq: NDArray[np.int64]
    values: dict[str, NDArray[Any]]
    extra: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.instant)

    def take(self, rows: NDArray[Any]) -> Decoded:
        """Return the rows selected by a boolean mask or an index array."""
        return Decoded(
            message=self.message[rows],
            element=self.element[rows],
            instant=self.instant[rows],
            boot=self.boot[rows],
            seq=self.seq[rows],
            values={name: column[rows] for name, column in self.values.items()},
            extra=self.extra[rows],
        )


def joined(parts: Sequence[Decoded]) -> Decoded:
    """Return the rows of several parts, one part after the other."""
    return Decoded(
        message=np.concatenate([part.message for part in parts]),
        element=np.concatenate([part.element for part in parts]),
        instant=np.concatenate([part.instant for part in parts]),
        boot=np.concatenate([part.boot for part in parts]),
        seq=np.concatenate([part.seq for part in parts]),
        values={name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
        extra=np.concatenate([part.extra for part in parts]),
    )
