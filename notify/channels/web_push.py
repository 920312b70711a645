"""Web Push: messages to browsers that people let take them, through the push service of each browser's maker.

An address is one subscription, such as #7, or a person's name for all of theirs. What a push service knows no
more is deleted. Only public addresses are called, and those that the administrator lists: people choose them.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Mapping

import asyncpg
import msgspec
import structlog

from alerts.transition import Severity
from devices.instants import Now
from notify.channels import pinned
from notify.channels.http_exchange import DONE, TIMEOUT_S, ServiceAnswer, accepted, exchange, new_client
from notify.channels.public_address import ListedTargets, Resolve, resolve
from notify.channels.push_encryption import MOST_BYTES, encrypted
from notify.channels.vapid import VapidKey, vapid_key
from notify.message import NotificationMessage, Occasion, Undelivered
from people.browsers import subscriptions
from people.browsers.subscriptions import PushSubscription
from store.failures import DATABASE_ERRORS

log = structlog.get_logger(__name__)

GONE = frozenset({404, 410})
"""What a push service answers for a subscription that is no more."""
TTL_S: Mapping[Severity | None, int] = {
    Severity.CRITICAL: 86_400,
    Severity.MAJOR: 43_200,
    Severity.MINOR: 14_400,
    Severity.WARNING: 3_600,
    None: 14_400,
}
"""How long a push service keeps a message for a browser that is away."""
URGENCY: Mapping[Severity | None, str] = {
    Severity.CRITICAL: "high",
    Severity.MAJOR: "high",
    Severity.MINOR: "normal",
    Severity.WARNING: "low",
    None: "normal",
}
"""Which messages wake a phone that saves its battery."""
TITLE_LENGTH, BODY_LENGTH = 200, 1_200
_LINKS = ("://", "geo:")

OpenPool = Callable[[], Awaitable["asyncpg.Pool[asyncpg.Record]"]]


class WebPushChannel:
    """Sends messages to subscriptions in the database."""

    name = "web-push"

    def __init__(
        self,
        open_database: OpenPool,
        now: Now,
        *,
        contact: str = "",
        targets: ListedTargets | None = None,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """contact: mailto: or https:, whom push services may ask; empty: nobody. now: real time."""
        self._open_database = open_database
        self._now = now
        self._contact = contact
        self._targets = targets or ListedTargets()
        self._resolve = resolve
        self._timeout_s = timeout_s
        self._client = new_client(by_proxy=False, tls=tls, kept=0)
        self._opening = asyncio.Lock()
        self._opened: asyncpg.Pool[asyncpg.Record] | None = None

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Send a message to every browser that an address means; one that takes it is enough.

        Raises:
            Undelivered: none took it, with what the first said, before others one that may take it later.
        """
        pool = await self._pool()
        async with pool.acquire() as connection:
            found = await subscriptions.addressed(connection, to)
            key = await vapid_key(connection, self._now())
        if not found:
            raise Undelivered("no browser takes messages there", permanent=True)
        body = msgspec.json.encode(payload(message))
        results = await asyncio.gather(
            *(self._send(pool, one, key, message, body) for one in found), return_exceptions=True
        )
        answers = [result for result in results if isinstance(result, str)]
        if not answers:
            failed = [result for result in results if isinstance(result, BaseException)]
            raise min(failed, key=lambda error: isinstance(error, Undelivered) and error.permanent)
        return answers[0] if len(found) == 1 else f"{answers[0]} ({len(answers)} of {len(found)})"

    async def _send(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        one: PushSubscription,
        key: VapidKey,
        message: NotificationMessage,
        body: bytes,
    ) -> str:
        try:
            answer = await self._answer(one, key, message, body)
        except Undelivered:
            await self._note(pool, one, None)
            raise
        await self._note(pool, one, answer.status)
        return accepted(answer, one.endpoint, status_only=True)

    async def _answer(
        self, one: PushSubscription, key: VapidKey, message: NotificationMessage, body: bytes
    ) -> ServiceAnswer:
        url = pinned.url_of(one.endpoint)
        address = await pinned.judged(
            url, targets=self._targets, resolve=self._resolve, timeout_s=self._timeout_s
        )
        proof = key.authorization(one.endpoint, self._now(), self._contact)
        headers = {**_headers(message), "Authorization": proof}
        sealed = encrypted(body, one.p256dh, one.auth)
        request = pinned.pinned_post(self._client, url, address, headers, sealed)
        return await exchange(self._client, request, timeout_s=self._timeout_s)

    async def _note(
        self, pool: asyncpg.Pool[asyncpg.Record], one: PushSubscription, status: int | None
    ) -> None:
        try:
            async with pool.acquire() as connection:
                if status in GONE:
                    await subscriptions.forget(connection, one, self._now())
                else:
                    taken = status is not None and status in DONE
                    await subscriptions.note(connection, one, self._now(), taken=taken)
        except DATABASE_ERRORS as error:  # the answer counts all the same
            log.warning("a subscription's state was not kept", error=type(error).__name__)

    async def _pool(self) -> asyncpg.Pool[asyncpg.Record]:
        async with self._opening:
            if self._opened is None:
                self._opened = await self._open_database()
            return self._opened

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()
        if self._opened is not None:
            self._opened.terminate()  # nothing is under way; politeness may wait for a server that is away


def payload(message: NotificationMessage) -> dict[str, str | None]:
    """Return what a browser shows, JSON values: within what one message to it can hold."""
    lines = [line for line in message.text.splitlines() if line and not any(mark in line for mark in _LINKS)]
    said: dict[str, str | None] = {
        "title": message.subject[:TITLE_LENGTH],
        "body": "\n".join(lines)[:BODY_LENGTH],
        "url": page_of(message),
        "tag": message.thread,
        "severity": message.severity,
    }
    while len(msgspec.json.encode(said)) > MOST_BYTES and said["body"]:
        said["body"] = said["body"][: len(said["body"]) * 3 // 4]
    return said


def page_of(message: NotificationMessage) -> str:
    """Return the path of the page that says more."""
    if message.work is not None:
        return f"/work/{message.work.order}"
    return f"/alerts/{message.alerts[0]}" if len(message.alerts) == 1 else "/"


def _headers(message: NotificationMessage) -> Mapping[str, str]:
    severity = None if message.occasion is Occasion.RESOLVED else message.severity
    # A later message about the same thing takes the place of one that still waits.
    topic = hashlib.sha256(message.thread.encode()).hexdigest()[:32]
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(TTL_S[severity]),
        "Urgency": URGENCY[severity],
        "Topic": topic,
    }
