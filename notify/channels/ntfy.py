"""ntfy: push messages to phones, from a server of one's own, with buttons that answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from alerts.transition import Severity
from devices.texts.catalogue import text
from notify.channels.http_exchange import TIMEOUT_S, accepted, exchange, new_client
from notify.message import NotificationMessage, Occasion, ReaderAnswer, Undelivered

PRIORITIES: Mapping[Severity, int] = {
    Severity.CRITICAL: 5,
    Severity.MAJOR: 4,
    Severity.MINOR: 3,
    Severity.WARNING: 2,
}
ORDINARY = 3
"""Of what has no severity, and of what is over."""
MOST_BYTES = 4000
"""A server makes longer messages attachments."""
TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")


class NtfyChannel:
    """Publishes messages to topics of one server."""

    name = "ntfy"

    def __init__(self, url: str, *, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """url: of the server. token: an access token of a user who may publish there."""
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout_s = timeout_s
        self._client = new_client()

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Publish a message to a topic and return the answer.

        Raises:
            Undelivered: the topic is none, or the server did not take it.
        """
        topic = self._topic(to)
        request = self._client.build_request(
            "POST",
            self._url,
            content=msgspec.json.encode(publication(message, topic)),
            headers=self._headers,
        )
        answer = await exchange(self._client, request, timeout_s=self._timeout_s)
        return accepted(answer, topic, status_only=True)

    def _topic(self, to: str) -> str:
        """Return a topic, also of its whole address on this server: another server is not ours to call."""
        topic = to.removeprefix(f"{self._url.rstrip('/')}/")
        if not TOPIC.fullmatch(topic):
            raise Undelivered("the topic is not 1 to 64 of A-Z a-z 0-9 - _ on our server", permanent=True)
        return topic

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()


def publication(message: NotificationMessage, topic: str) -> dict[str, object]:
    """Return what the server is told, JSON values."""
    over = message.severity is None or message.occasion is Occasion.RESOLVED
    published: dict[str, object] = {
        "topic": topic,
        "title": message.subject,
        "message": message.text.encode()[:MOST_BYTES].decode(errors="ignore"),
        "priority": ORDINARY if over or message.severity is None else PRIORITIES[message.severity],
    }
    if message.url:
        published["click"] = message.url
        published["actions"] = [_button(message, message.url, answer) for answer in ReaderAnswer]
    return published


def _button(message: NotificationMessage, url: str, answer: ReaderAnswer) -> dict[str, object]:
    return {
        "action": "http",
        "label": text(message.language, f"answer.{answer}"),
        "url": url,
        "method": "POST",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": f"answer={answer}",
        "clear": True,
    }
