"""Which exceptions of the database mean that it is away, and which that the rows are at fault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from store.errors import MigrationError, NotMigrated, Unavailable
from store.failures import DATABASE_ERRORS, Failure, classify, is_outage

CLASSES = {
    "08": Failure.TRANSIENT,  # connection
    "22": Failure.DATA,
    "23": Failure.DATA,  # constraints
    "40": Failure.TRANSIENT,  # rollback
    "53": Failure.TRANSIENT,  # resources
    "57": Failure.TRANSIENT,  # intervention
}
"""SQLSTATE classes that mean something; every other one is nobody's outage."""


def server_errors() -> Iterator[type[asyncpg.PostgresError]]:
    """Yield every class that asyncpg makes of an answer of the server."""
    for found in vars(asyncpg.exceptions).values():
        if isinstance(found, type) and issubclass(found, asyncpg.PostgresError) and found.sqlstate:
            yield found


@pytest.mark.parametrize("raised", list(server_errors()), ids=lambda raised: str(raised.__name__))
def test_server_error_means_what_the_class_of_its_sqlstate_says(
    raised: type[asyncpg.PostgresError],
) -> None:
    assert raised.sqlstate is not None
    refused = Failure.TRANSIENT if raised.sqlstate == "42501" else Failure.OTHER  # an account without a right
    expected = CLASSES.get(raised.sqlstate[:2], refused)

    assert classify(raised("from the server")) is expected
    assert is_outage(raised("from the server")) is (expected is Failure.TRANSIENT)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.InternalClientError("got result for unknown protocol state 3"), Failure.TRANSIENT),
        (asyncpg.InterfaceError("connection is closed"), Failure.TRANSIENT),
        (asyncpg.ConnectionDoesNotExistError("lost"), Failure.TRANSIENT),
        (asyncpg.ClientConfigurationError("invalid DSN"), Failure.OTHER),
        (Unavailable("nobody answers"), Failure.TRANSIENT),
        (ConnectionRefusedError(), Failure.TRANSIENT),
        (ConnectionResetError(), Failure.TRANSIENT),
        (OSError("no route to host"), Failure.TRANSIENT),
        (TimeoutError(), Failure.TRANSIENT),
        (NotMigrated("run `nabd migrate`"), Failure.OTHER),
        (MigrationError("changed after it ran"), Failure.OTHER),
        (asyncpg.PostgresError("without a state"), Failure.OTHER),
        (ZeroDivisionError(), Failure.OTHER),
        (ValueError("not a number"), Failure.OTHER),
        (asyncio.CancelledError(), Failure.OTHER),
    ],
    ids=lambda value: type(value).__name__,
)
def test_error_of_the_client_is_an_outage_only_when_the_database_is_away(
    error: BaseException, expected: Failure
) -> None:
    assert classify(error) is expected
    assert is_outage(error) is (expected is Failure.TRANSIENT)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("state"),
        asyncpg.InterfaceError("closed"),
        asyncpg.QueryCanceledError("time"),
        Unavailable("away"),
        OSError("away"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_outage_is_met_by_handlers_that_go_by_class(error: Exception) -> None:
    assert is_outage(error)
    assert isinstance(error, DATABASE_ERRORS)
