"""Commands with an `Idempotency-Key`: the work is done once, and repeats get its answer.

The key, the work and its answer are one transaction, so this holds across restarts and between processes of
the API: who comes second with a key waits for the first. Must not know what the commands do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.problems import Problem
from devices.instants import to_datetime

if TYPE_CHECKING:
    from asyncpg import Record

    from store.connection import Connection

Answer = TypeVar("Answer", bound=BaseModel)

# The update changes nothing: it takes the row's lock, and returns the row once whoever works on it is done.
_TAKE = """
INSERT INTO idempotency_key (route, key, request_digest, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (route, key) DO UPDATE SET key = excluded.key
RETURNING request_digest, answer
"""
_KNOWN = "SELECT request_digest, answer FROM idempotency_key WHERE route = $1 AND key = $2"
_KEEP = "UPDATE idempotency_key SET answer = $3 WHERE route = $1 AND key = $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """One request that changes something.

    key: what the client calls this command, None if it gave none. route: method, path, and whose request it
    is: nobody gets another's answer. at: microseconds since 1970-01-01Z.
    """

    connection: Connection
    key: str | None
    route: str
    at: int

    async def once(
        self, answer: type[Answer], work: Callable[[], Awaitable[Answer]], body: BaseModel | bytes = b""
    ) -> Answer:
        """Do the work, or return what it returned when the same key came with the same body before.

        Args:
            answer: the model that `work` returns.
            work: on our connection; what it raises undoes it, and the next try with the key is a first one.
            body: what was asked for; its bytes where it is no JSON.

        Raises:
            Problem: the key was used with another body.
        """
        if self.key is None:
            return await work()
        digest = _digest(body)
        async with self.connection.transaction():
            row = await self.connection.fetchrow(_TAKE, self.route, self.key, digest, to_datetime(self.at))
            if (known := _answered(answer, row, digest)) is not None:
                return known
            done = await work()
            await self.connection.execute(_KEEP, self.route, self.key, done.model_dump(mode="json"))
            return done

    async def answered(self, answer: type[Answer], body: BaseModel | bytes = b"") -> Answer | None:
        """Return what `once` returned for this key before, for who prepares work outside of its transaction.

        Raises:
            Problem: as `once`.
        """
        if self.key is None:
            return None
        row = await self.connection.fetchrow(_KNOWN, self.route, self.key)
        return _answered(answer, row, _digest(body))


def _digest(body: BaseModel | bytes) -> bytes:
    said = body if isinstance(body, bytes) else body.model_dump_json().encode()
    return hashlib.sha256(said).digest()


def _answered(answer: type[Answer], row: Record | None, digest: bytes) -> Answer | None:
    if row is None:
        return None
    if row["request_digest"] != digest:
        raise Problem(422, "invalid", "Idempotency-Key: was used with another body")
    return None if row["answer"] is None else answer.model_validate(row["answer"])


def command(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=200,
            description="repeats within a day get the first answer, and change nothing",
        ),
    ] = None,
) -> ChangeRequest:
    """Return the request at hand as a command."""
    route = f"{request.method} {request.url.path} {identity.principal}"
    return ChangeRequest(connection=connection, key=key, route=route, at=context.now())


UsesChangeRequest = Annotated[ChangeRequest, Depends(command)]
