"""Webhooks, signed as Standard Webhooks says: the receiver can tell that we sent it, and when.

Signed is `id.timestamp.body` with HMAC-SHA256. Only public addresses are called, and those that the
administrator lists (notify.channels.public_address).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl

import httpx2
import msgspec

from devices.instants import Now, rfc3339, to_datetime
from notify.channels import pinned
from notify.channels.http_exchange import TIMEOUT_S, accepted, exchange, new_client
from notify.channels.public_address import ListedTargets, Resolve, resolve
from notify.message import CHANNEL_THREAD, AlertNews, NotificationMessage, WorkNews

PREFIX = "whsec_"
LEAST_SECRET = 24
"""Bytes, as Standard Webhooks asks."""


def secret_of(text: str) -> bytes:
    """Return the bytes of a secret such as whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.

    Raises:
        ValueError: it is none, or too short.
    """
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not text.startswith(PREFIX) or len(secret) < LEAST_SECRET:
        raise ValueError(f"expected {PREFIX} and base64 of {LEAST_SECRET} random bytes or more")
    return secret


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header webhook-signature; timestamp: seconds since 1970-01-01Z."""
    signed = hmac.digest(secret, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


class WebhookChannel:
    """Posts messages as JSON to an address of http or https."""

    name = "webhook"

    def __init__(
        self,
        secret: bytes,
        now: Now,
        *,
        targets: ListedTargets | None = None,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._secret = secret
        self._now = now
        self._targets = targets or ListedTargets()
        self._resolve = resolve
        self._timeout_s = timeout_s
        # A proxy would resolve the name again, and by itself. A connection that is kept is found by its
        # address: another name there would use it, whose certificate was never asked for.
        self._client = new_client(by_proxy=False, tls=tls, kept=0)

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Post a message to an address and return the answer.

        Raises:
            Undelivered: the address may not be called, or did not take it.
        """
        url = pinned.url_of(to)
        address = await pinned.judged(
            url, targets=self._targets, resolve=self._resolve, timeout_s=self._timeout_s
        )
        request = self._request(message, url, address)
        return accepted(await exchange(self._client, request, timeout_s=self._timeout_s), to)

    def _request(self, message: NotificationMessage, url: httpx2.URL, address: str) -> httpx2.Request:
        now = to_datetime(self._now())
        timestamp = int(now.timestamp())
        body = msgspec.json.encode({"timestamp": rfc3339(now), **payload(message)})
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._secret, message.id, timestamp, body),
        }
        return pinned.pinned_post(self._client, url, address, headers, body)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()


def payload(message: NotificationMessage) -> dict[str, object]:
    """Return type and data of a message, JSON values."""
    return {
        "type": _type(message),
        "data": {
            "id": message.id,
            "thread": message.thread,
            "severity": message.severity,
            "language": message.language,
            "subject": message.subject,
            "text": message.text,
            "answer_url": message.url,
            "alerts": [alert_of(news) for news in message.news],
            "work": None if message.work is None else work_of(message.work),
        },
    }


def _type(message: NotificationMessage) -> str:
    if message.work is not None:
        return f"work.{message.work.event}"
    if message.thread.startswith(CHANNEL_THREAD):
        return "channel.failing"
    return f"alert.{message.occasion}" if message.occasion else "test"


def alert_of(news: AlertNews) -> dict[str, object]:
    """Return what is said of one alert, JSON values."""
    return {
        "id": news.alert,
        "occasion": news.occasion,
        "severity": news.severity,
        "municipality": news.municipality,
        "device": news.device,
        "rule": news.rule,
        "sentence": news.sentence,
        "place": news.place,
        "since": rfc3339(news.since),
        "until": None if news.until is None else rfc3339(news.until),
        "late_s": news.late_s,
        "lat": news.lat,
        "lon": news.lon,
    }


def work_of(news: WorkNews) -> dict[str, object]:
    """Return what is said of a work order, JSON values."""
    due = {"response_due_at": news.response_due_at, "repair_due_at": news.repair_due_at}
    return {
        "id": news.order,
        "event": news.event,
        "severity": news.severity,
        "municipality": news.municipality,
        "device": news.device,
        "what": news.what,
        "place": news.place,
        **{name: None if instant is None else rfc3339(instant) for name, instant in due.items()},
        "reason": news.reason,
        "lat": news.lat,
        "lon": news.lon,
    }
