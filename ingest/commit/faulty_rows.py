"""Which rows the database refuses: stored under a savepoint, and halved until the faulty stand alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from store.connection import Connection
from store.failures import DATA_ERRORS


async def sort_out(
    connection: Connection,
    rows: NDArray[np.int64],
    faults: dict[int, str],
    attempt: Callable[[NDArray[np.int64]], Awaitable[None]],
) -> None:
    """Do something with rows that the database may refuse; add those to `faults`, with its words."""
    if not len(rows):
        return
    try:
        async with connection.transaction():
            await attempt(rows)
    except DATA_ERRORS as error:
        if len(rows) == 1:
            faults[int(rows[0])] = str(error)
            return
        half = len(rows) // 2
        await sort_out(connection, rows[:half], faults, attempt)
        await sort_out(connection, rows[half:], faults, attempt)
