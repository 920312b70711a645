"""Subscriptions of programs to entities, as people make, change and end them, each change with its audit.

What they ask for is a document that this file does not read. Secrets are written here and never told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.instants import Now, to_datetime
from devices.registry.errors import AlreadyExists, Conflict, NotFound
from store import audit
from store.audit import Actor
from store.connection import Connection
from store.expiry import ExpiringRows

MOST, MOST_OF_TOWN = 100, 20
"""Of the platform, and of those that are of some municipalities only, of each: a subscription may cost what
somebody who asks once a second costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntitySubscription:
    """A subscription to make or to put in the place of one.

    towns: what it may tell of at most, by name; None: all, also those to come. context: where our JSON-LD
    context is. uri: where it tells. headers: what its receiver wants to be shown there, by name; None: as
    they were.
    """

    id: str
    towns: Sequence[str] | None
    document: Mapping[str, Any]
    context: str
    uri: str
    is_active: bool = True
    expires_at: datetime | None = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySubscription:
    """A subscription as it is stored, and how it goes with it.

    principal: who made it. follows_from: see the table. stopped: why nothing is told; empty: it is. failures:
    how many notifications failed since one last arrived; failure: why the last one did.
    """

    id: str
    principal: int
    towns: Sequence[str] | None
    document: Mapping[str, Any]
    context: str
    is_active: bool
    expires_at: datetime | None
    created_at: datetime
    changed_at: datetime
    follows_from: datetime
    stopped: str
    times_sent: int
    times_failed: int
    last_notified_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    failures: int
    retry_at: datetime | None
    failure: str

    def is_over(self, now: datetime) -> bool:
        """Tell whether it has expired."""
        return self.expires_at is not None and self.expires_at <= now


_LIST = """
SELECT
    id, principal_id AS principal, towns, document, context, is_active, expires_at, created_at, changed_at,
    follows_from, stopped, times_sent, times_failed, last_notified_at, last_success_at, last_failure_at,
    failures, retry_at, failure
FROM ngsi_subscription
WHERE
    ($1::text IS NULL OR id = $1)
    AND ($2::text [] IS NULL OR towns <@ $2)
ORDER BY id
"""
_LOCK = "SELECT FROM ngsi_subscription WHERE id = $1 FOR UPDATE"


async def list_subscriptions(
    connection: Connection, *, within: Sequence[str] | None = None
) -> list[EntitySubscription]:
    """Return subscriptions by id; within: only those that tell of nothing beyond; None: all."""
    return [EntitySubscription(**row) for row in await connection.fetch(_LIST, None, within)]


async def get_subscription(
    connection: Connection, named: str, *, within: Sequence[str] | None = None, lock: bool = False
) -> EntitySubscription:
    """Return one subscription; lock: nobody else changes it until the caller's transaction ends.

    Raises:
        NotFound: there is none of that id within these municipalities.
    """
    if lock:
        await connection.execute(_LOCK, named)
    row = await connection.fetchrow(_LIST, named, within)
    if row is None:
        raise NotFound("subscription", named)
    return EntitySubscription(**row)


_HEADERS = "SELECT headers FROM ngsi_secret WHERE subscription_id = $1 AND uri = $2"


async def headers_of(connection: Connection, named: str, uri: str) -> dict[str, str]:
    """Return what a subscription's receiver wants to be shown at a URI; none, if that is another by now."""
    return await connection.fetchval(_HEADERS, named, uri) or {}


_ONE_AT_A_TIME = "LOCK TABLE ngsi_subscription IN SHARE ROW EXCLUSIVE MODE"
_COUNT = """
SELECT count(*) FROM ngsi_subscription
WHERE (expires_at IS NULL OR expires_at > $1) AND ($2::text IS NULL OR $2 = ANY(towns))
"""
_INSERT = """
INSERT INTO ngsi_subscription (
    id, principal_id, towns, document, context, is_active, expires_at, created_at, changed_at, follows_from
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8)
ON CONFLICT (id) DO NOTHING
RETURNING true
"""


async def add_subscription(
    connection: Connection, new: NewEntitySubscription, now: Now, *, by: Actor
) -> None:
    """Add a subscription; what changes from now on is told.

    Raises:
        AlreadyExists: the id is taken.
        Conflict: there are too many.
    """
    at = to_datetime(now())
    async with connection.transaction():
        await connection.execute(_ONE_AT_A_TIME)
        if await connection.fetchval(_COUNT, at, None) >= MOST:
            raise Conflict(f"there are {MOST} subscriptions: remove one first")
        for town in new.towns or ():
            if await connection.fetchval(_COUNT, at, town) >= MOST_OF_TOWN:
                raise Conflict(f"there are {MOST_OF_TOWN} subscriptions of {town}: remove one first")
        made = await connection.fetchval(
            _INSERT, new.id, by.principal, new.towns, new.document, new.context, new.is_active,
            new.expires_at, at,
        )  # fmt: skip
        if made is None:
            raise AlreadyExists("subscription", new.id, "choose another id, or none")
        await _keep(connection, new)
        await _record(connection, new, "add", None, _fields(new), now, by)


_UPDATE = """
UPDATE ngsi_subscription SET
    document = $2, is_active = $3, expires_at = $4, changed_at = $5, failures = 0, retry_at = NULL,
    follows_from = CASE
        WHEN NOT $3 OR (is_active AND (expires_at IS NULL OR expires_at > $5)) THEN follows_from ELSE $5
    END
WHERE id = $1
"""


async def edit_subscription(
    connection: Connection, kept: EntitySubscription, edited: NewEntitySubscription, now: Now, *, by: Actor
) -> None:
    """Put another subscription in the place of one that the caller has locked; whose it is stays.

    What changed while it was not active, or over, is not told.
    """
    await connection.execute(
        _UPDATE, kept.id, edited.document, edited.is_active, edited.expires_at, to_datetime(now())
    )
    await _keep(connection, edited)
    before, after = audit.differing(_fields(kept), _fields(edited))
    if edited.headers is not None:
        before, after = {**before, "secret": "before"}, {**after, "secret": "new"}
    await _record(connection, edited, "edit", before, after, now, by)


_DELETE = "DELETE FROM ngsi_subscription WHERE id = $1"


async def remove_subscription(
    connection: Connection, named: str, now: Now, *, within: Sequence[str] | None = None, by: Actor
) -> None:
    """End a subscription.

    Raises:
        NotFound: there is none of that id within these municipalities.
    """
    async with connection.transaction():
        kept = await get_subscription(connection, named, within=within, lock=True)
        await connection.execute(_DELETE, named)
        await _record(connection, kept, "remove", _fields(kept), None, now, by)


_FORGET = "DELETE FROM ngsi_secret WHERE subscription_id = $1"
_KEEP = """
INSERT INTO ngsi_secret (subscription_id, uri, headers) VALUES ($1, $2, $3)
ON CONFLICT (subscription_id) DO UPDATE SET uri = excluded.uri, headers = excluded.headers
"""


async def _keep(connection: Connection, new: NewEntitySubscription) -> None:
    if new.headers:
        await connection.execute(_KEEP, new.id, new.uri, new.headers)
    elif new.headers is not None:
        await connection.execute(_FORGET, new.id)


def _fields(one: EntitySubscription | NewEntitySubscription) -> dict[str, Any]:
    return {
        "towns": None if one.towns is None else list(one.towns),
        "document": dict(one.document),
        "is_active": one.is_active,
        "expires_at": one.expires_at,
    }


_MUNICIPALITY = "SELECT id FROM municipality WHERE name = $1"


async def _record(
    connection: Connection,
    one: EntitySubscription | NewEntitySubscription,
    verb: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: Now,
    by: Actor,
) -> None:
    """Record it where it tells of: in its municipality, or of the platform where these are several."""
    town = one.towns[0] if one.towns is not None and len(one.towns) == 1 else None
    await audit.record(
        connection,
        by=by,
        municipality=await connection.fetchval(_MUNICIPALITY, town) if town else None,
        action=f"subscription.{verb}",
        subject=one.id,
        before=before,
        after=after,
        now=now(),
    )


SUBSCRIPTIONS = ExpiringRows(
    tables=("ngsi_subscription",),
    first="SELECT min(expires_at) FROM ngsi_subscription",
    forget="""
WITH gone AS (
    DELETE FROM ngsi_subscription
    WHERE id = ANY(ARRAY(
        SELECT id FROM ngsi_subscription WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
    ))
    RETURNING id
)

SELECT count(*) FROM gone
""",
)
"""Those that have expired."""
