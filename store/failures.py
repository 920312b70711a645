"""What a failure of the database means: who must act, and whether to try again. Nothing else decides that."""

from __future__ import annotations

from enum import Enum, auto

import asyncpg

from store.errors import Unavailable


class Failure(Enum):
    """Who must act."""

    DATA = auto()  # the rows are at fault: find them
    TRANSIENT = auto()  # the database is away, full or busy, or refuses us: wait, then the same again
    OTHER = auto()  # unknown: a few tries, then reject the rows and log it


# SQLSTATE classes: 22 data, 23 constraints; 08 connection, 40 rollback, 53 resources, 57 intervention.
_DATA = ("22", "23")
_TRANSIENT = ("08", "40", "53", "57")
_REFUSED = "42501"
"""Our account lacks a right: whoever runs the database gives it (`nabd migrate`); no message is at fault."""


def classify(error: BaseException) -> Failure:
    """Return what an exception from asyncpg means."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state.startswith(_DATA):
            return Failure.DATA
        return Failure.TRANSIENT if state.startswith((*_TRANSIENT, _REFUSED)) else Failure.OTHER
    if isinstance(error, asyncpg.InternalClientError):
        return Failure.TRANSIENT
    if isinstance(error, asyncpg.InterfaceError):
        # A closed connection, or a wrong argument of ours; the latter is a ValueError too.
        return Failure.OTHER if isinstance(error, ValueError) else Failure.TRANSIENT
    if isinstance(error, OSError | TimeoutError | Unavailable):
        return Failure.TRANSIENT
    return Failure.OTHER


DATABASE_ERRORS = (
    OSError,
    TimeoutError,
    Unavailable,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What using the database may raise, for `except`; `is_outage` tells what it means."""


DATA_ERRORS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
"""SQLSTATE classes 22 and 23, for `except`: the rows are at fault, and trying again cannot help."""


def is_outage(error: BaseException) -> bool:
    """Tell whether the database was away, full or busy, or refused us: the same may succeed later."""
    return classify(error) is Failure.TRANSIENT
