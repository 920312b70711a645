"""Browsers that people let wake them (Web Push): subscribed, listed, given up, gone at their push service.

One belongs to the session in which it was made, and ends when that is ended; not when it runs out: who is on
call sleeps, too. Instants are microseconds since 1970-01-01Z. Must not know what is sent, nor how.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
from cryptography.hazmat.primitives.asymmetric import ec

from devices.instants import to_datetime
from devices.registry.errors import Conflict, Invalid, NotFound
from people import recorded
from people.person import Person, locked_person
from store.audit import PLATFORM, Actor

if TYPE_CHECKING:
    from store.connection import Connection

MOST_BROWSERS = 10
"""Of one person."""
ENDPOINT_LENGTH = 2_000
POINT_BYTES, AUTH_BYTES = 65, 16
BY_NUMBER = "#"
"""How an address of a single subscription begins; no name of a person does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """One browser of one person.

    p256dh: its public key, an uncompressed point of P-256. auth: its secret. browser: what it is called.
    """

    id: int
    person_id: int
    endpoint: str
    p256dh: bytes
    auth: bytes
    browser: str
    created_at: datetime
    last_used_at: datetime | None
    failed_at: datetime | None

    @property
    def host(self) -> str:
        """Return the name of its push service; the rest of the endpoint is a secret."""
        return urlsplit(self.endpoint).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPushSubscription:
    """What a browser subscribed with; keys as it says them, base64url. session: in which it did."""

    endpoint: str
    p256dh: str
    auth: str
    browser: str
    session: int | None = None


_MEMBERS = "id, person_id, endpoint, p256dh, auth, browser, created_at, last_used_at, failed_at"
_OF_OTHERS = f"""
DELETE FROM push_subscription WHERE endpoint = $1 AND person_id <> $2 RETURNING {_MEMBERS}
"""  # noqa: S608 - columns
_OTHERS = "SELECT count(*) FROM push_subscription WHERE person_id = $1 AND endpoint <> $2"
_ADD = f"""
INSERT INTO push_subscription AS kept (person_id, endpoint, p256dh, auth, browser, created_at, session_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (endpoint) DO UPDATE
SET p256dh = excluded.p256dh, auth = excluded.auth, browser = excluded.browser, failed_at = NULL,
    session_id = excluded.session_id
RETURNING {_MEMBERS}
"""  # noqa: S608 - columns
_KNOWN = "SELECT EXISTS (SELECT FROM push_subscription WHERE endpoint = $1 AND p256dh = $2 AND auth = $3)"


async def subscribe(
    connection: Connection, person: str, new: NewPushSubscription, *, by: Actor, now: int
) -> PushSubscription:
    """Let a browser of a person take messages; one that somebody else used before is theirs no more.

    A browser says it again whenever the console opens: that is no change.

    Raises:
        Invalid: the endpoint is no address of https, or a key is none.
        Conflict: they have MOST_BROWSERS already.
    """
    endpoint = _endpoint(new.endpoint)
    p256dh, auth = _point(new.p256dh), _bytes("keys.auth", new.auth, AUTH_BYTES)
    async with connection.transaction():
        who = await locked_person(connection, person)
        if await connection.fetchval(_OTHERS, who.id, endpoint) >= MOST_BROWSERS:
            raise Conflict(f"has {MOST_BROWSERS} browsers already: take one back first")
        others = await connection.fetch(_OF_OTHERS, endpoint, who.id)
        await _record_gone(connection, [_read(row) for row in others], by=by, now=now)
        known = await connection.fetchval(_KNOWN, endpoint, p256dh, auth)
        values = (who.id, endpoint, p256dh, auth, new.browser, to_datetime(now), new.session)
        added = _read(await connection.fetchrow(_ADD, *values))
        if not known:
            await recorded.record(connection, by, "push-subscribe", who.id, None, _told(added), now)
    return added


_OF_PERSON = f"SELECT {_MEMBERS} FROM push_subscription WHERE person_id = $1 ORDER BY id"  # noqa: S608 - columns


async def list_of(connection: Connection, person: int) -> Sequence[PushSubscription]:
    """Return the browsers of a person, in the order they subscribed."""
    return [_read(row) for row in await connection.fetch(_OF_PERSON, person)]


_ADDRESSED = f"""
SELECT {", ".join(f"s.{name}" for name in _MEMBERS.split(", "))}
FROM push_subscription AS s
INNER JOIN person ON s.person_id = person.id
WHERE (person.name = $1 OR s.id = $2) AND person.disabled_at IS NULL
ORDER BY s.id
"""  # noqa: S608 - columns


async def addressed(connection: Connection, to: str) -> Sequence[PushSubscription]:
    """Return the browsers that an address means: of a person by name, or a single one such as #7."""
    number = to.removeprefix(BY_NUMBER) if to.startswith(BY_NUMBER) else ""
    single = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
    return [_read(row) for row in await connection.fetch(_ADDRESSED, to, single)]


def address_of(number: int) -> str:
    """Return the address of a single subscription."""
    return f"{BY_NUMBER}{number}"


_REMOVE = f"""
DELETE FROM push_subscription
WHERE person_id = $1 AND ($2::int IS NULL OR id = $2) AND ($3::text IS NULL OR endpoint = $3)
RETURNING {_MEMBERS}
"""  # noqa: S608 - columns


async def unsubscribe(
    connection: Connection,
    person: Person,
    *,
    number: int | None = None,
    endpoint: str | None = None,
    by: Actor,
    now: int,
) -> int:
    """Take browsers of a person back: one by number or endpoint, or all; return how many.

    Raises:
        NotFound: one is named that is not theirs.
    """
    async with connection.transaction():
        rows = await connection.fetch(_REMOVE, person.id, number, endpoint)
        if not rows and (number is not None or endpoint is not None):
            raise NotFound("push subscription", "this one" if number is None else str(number))
        await _record_gone(connection, [_read(row) for row in rows], by=by, now=now)
    return len(rows)


_SIGNED_OUT = f"""
DELETE FROM push_subscription
WHERE
    person_id = $1 AND ($2::bigint IS NULL OR session_id = $2)
    AND ($3::bigint IS NULL OR session_id IS DISTINCT FROM $3)
RETURNING {_MEMBERS}
"""  # noqa: S608 - columns


async def sign_out(
    connection: Connection,
    person: int,
    *,
    session: int | None = None,
    but: int | None = None,
    by: Actor,
    now: int,
) -> None:
    """Delete what a person subscribed to in a session that is ended; in all of them, but for one."""
    rows = await connection.fetch(_SIGNED_OUT, person, session, but)
    await _record_gone(connection, [_read(row) for row in rows], by=by, now=now)


async def _record_gone(
    connection: Connection, gone: Sequence[PushSubscription], *, by: Actor, now: int
) -> None:
    for one in gone:
        await recorded.record(connection, by, "push-unsubscribe", one.person_id, _told(one), None, now)


_GONE = f"DELETE FROM push_subscription WHERE id = $1 AND endpoint = $2 RETURNING {_MEMBERS}"  # noqa: S608 - columns


async def forget(connection: Connection, gone: PushSubscription, now: int) -> None:
    """Delete a subscription that its push service knows no more."""
    async with connection.transaction():
        row = await connection.fetchrow(_GONE, gone.id, gone.endpoint)
        if row is not None:
            told = _told(_read(row)) | {"gone": True}
            await recorded.record(connection, PLATFORM, "push-unsubscribe", gone.person_id, told, None, now)


_USED = "UPDATE push_subscription SET last_used_at = $2, failed_at = NULL WHERE id = $1"
_FAILED = "UPDATE push_subscription SET failed_at = $2 WHERE id = $1"


async def note(connection: Connection, used: PushSubscription, now: int, *, taken: bool) -> None:
    """Keep when its push service last took a message, or did not."""
    await connection.execute(_USED if taken else _FAILED, used.id, to_datetime(now))


def _read(row: asyncpg.Record | None) -> PushSubscription:
    assert row is not None
    return PushSubscription(**dict(row))


def _told(subscription: PushSubscription) -> dict[str, object]:
    return {"push": subscription.id, "host": subscription.host}


def _endpoint(text: str) -> str:
    """Return an endpoint that may be one; http is for push services on this machine, in tests."""
    try:
        parts = urlsplit(text)
        known = parts.hostname is not None and parts.username is None and parts.port != 0
    except ValueError:
        known = False
    if not known or len(text) > ENDPOINT_LENGTH or not (text.isascii() and text.isprintable()) or " " in text:
        raise Invalid("endpoint", "is no address of a push service")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise Invalid("endpoint", "is no address with https://")
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _point(text: str) -> bytes:
    point = _bytes("keys.p256dh", text, POINT_BYTES)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise Invalid("keys.p256dh", "is no public key of P-256") from None
    return point


def _bytes(field: str, text: str, length: int) -> bytes:
    try:
        found = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != length:
        raise Invalid(field, f"is base64url of {length} bytes")
    return found
