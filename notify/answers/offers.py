"""What a message offers: a link and a code by which one person answers for some alerts, once, for a week.

Must not know what an answer does.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from devices.instants import to_datetime
from notify.answers import links
from notify.message import ReaderAnswer
from store.connection import Connection
from store.expiry import ExpiringRows

GOOD_FOR = timedelta(days=7)
CODE_GOOD_FOR = timedelta(days=1)
"""Five digits can be guessed, unlike a link."""
PURPOSE = "answers"
LOWEST_CODE, HIGHEST_CODE = 10_000, 99_999
"""Digits alone: every keyboard has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOffer:
    """One person may answer for some alerts.

    code: empty where the message is not answered by one. answer: what they said, None while they have not.
    """

    id: int
    person_id: int
    alerts: Sequence[int]
    code: str
    expires_at: datetime
    answered_at: datetime | None
    answer: ReaderAnswer | None


_KEY = "SELECT secret FROM signing_key WHERE purpose = $1"
_NEW_KEY = """
INSERT INTO signing_key (purpose, secret, created_at) VALUES ($1, $2, $3)
ON CONFLICT (purpose) DO NOTHING
"""


async def signing_key(connection: Connection, now: int) -> bytes:
    """Return the key of answer links, which is made the first time."""
    found: bytes | None = await connection.fetchval(_KEY, PURPOSE)
    if found is None:
        await connection.execute(_NEW_KEY, PURPOSE, secrets.token_bytes(32), to_datetime(now))
        found = await connection.fetchval(_KEY, PURPOSE)
    assert found is not None
    return found


# A conflict changes nothing; it is an update so that the offer comes back.
_OFFER = """
INSERT INTO answer_offer AS kept (delivery_id, person_id, alerts, code, created_at, expires_at)
SELECT $1, person.id, $3, $4, $5, $6
FROM person
WHERE person.id = $2
ON CONFLICT (delivery_id) DO UPDATE SET alerts = excluded.alerts
RETURNING id, person_id, alerts, code, expires_at, answered_at, answer
"""


async def offer(
    connection: Connection, delivery: UUID, person: int, alerts: Sequence[int], now: int, *, coded: bool
) -> AnswerOffer | None:
    """Return what a message offers its reader; the same for every attempt to send it.

    Args:
        coded: a code answers it too, as it does an SMS.
        now: of a clock that runs as people's do, in microseconds since 1970-01-01Z.

    Returns:
        None where the receiver is no person.
    """
    code = str(LOWEST_CODE + secrets.randbelow(HIGHEST_CODE - LOWEST_CODE + 1)) if coded else ""
    at = to_datetime(now)
    row = await connection.fetchrow(_OFFER, delivery, person, list(alerts), code, at, at + GOOD_FOR)
    return None if row is None else _read(row)


def address(public_url: str, key: bytes, offer: AnswerOffer) -> str:
    """Return the link of an offer; public_url: where people reach this installation."""
    token = links.sign(key, offer.id, int(offer.expires_at.timestamp()))
    return f"{public_url.rstrip('/')}/answer/{token}"


_FIND = """
SELECT id, person_id, alerts, code, expires_at, answered_at, answer FROM answer_offer WHERE id = $1
"""


async def find(connection: Connection, number: int) -> AnswerOffer | None:
    """Return an offer; None where there is none: it expired long ago, or the person was deleted."""
    row = await connection.fetchrow(_FIND, number)
    return None if row is None else _read(row)


# Digits alone are compared: numbers are written with spaces, + and 00. The channel may hold a list.
_BY_CODE = """
SELECT o.id, o.person_id, o.alerts, o.code, o.expires_at, o.answered_at, o.answer
FROM answer_offer AS o
INNER JOIN person AS p ON o.person_id = p.id
CROSS JOIN LATERAL (
    SELECT p.phone AS written
    UNION ALL
    SELECT said.value ->> 0
    FROM jsonb_path_query(p.channels, 'lax $.sms[*]') WITH ORDINALITY AS said (value, n)
) AS number
WHERE o.code = $1 AND o.created_at > $3 AND ltrim(regexp_replace(number.written, '[^0-9]', '', 'g'), '0') = $2
ORDER BY o.answered_at IS NULL DESC, o.id DESC
LIMIT 1
"""


async def find_by_code(connection: Connection, code: str, number: str, now: int) -> AnswerOffer | None:
    """Return the newest offer with a code that is still good, one that was not answered first.

    Args:
        code: five digits.
        number: of the person, as notify.answers.sms_text reads it.
        now: of a clock that runs as people's do.
    """
    if not code or not number:
        return None
    row = await connection.fetchrow(_BY_CODE, code, number, to_datetime(now) - CODE_GOOD_FOR)
    return None if row is None else _read(row)


_USE = """
UPDATE answer_offer SET answered_at = $2, answer = $3
WHERE id = $1 AND answered_at IS NULL
RETURNING id
"""


async def use(connection: Connection, number: int, answer: ReaderAnswer, now: int) -> bool:
    """Record the one answer to an offer; False where somebody was faster."""
    return await connection.fetchval(_USE, number, to_datetime(now), answer) is not None


KEPT_FOR = timedelta(days=7)
"""How long a link that has expired is known as one."""
OFFERS = ExpiringRows(
    tables=("answer_offer",),
    first="SELECT min(expires_at) FROM answer_offer",
    forget="""
WITH gone AS (
    DELETE FROM answer_offer
    WHERE id = ANY(ARRAY(SELECT id FROM answer_offer WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))
    RETURNING id
)

SELECT count(*) FROM gone
""",
)


def _read(row: asyncpg.Record) -> AnswerOffer:
    said = row["answer"]
    return AnswerOffer(**{**dict(row), "answer": None if said is None else ReaderAnswer(said)})
