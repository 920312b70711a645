"""Telegram, by its Bot API; the buttons open the page where the reader answers."""

from __future__ import annotations

import re

import msgspec

from devices.texts.catalogue import text
from notify.channels.http_exchange import TIMEOUT_S, ServiceAnswer, accepted, bounded, exchange, new_client
from notify.message import NotificationMessage, ReaderAnswer, Undelivered

MOST_CHARACTERS = 4096
CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{3,64}")
TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{10,100}")


class _Parameters(msgspec.Struct):
    retry_after: float | None = None


class _BotAnswer(msgspec.Struct):
    ok: bool = False
    parameters: _Parameters | None = None


class TelegramChannel:
    """Sends messages of one bot to chats."""

    name = "telegram"

    def __init__(self, token: str, *, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """token: of the bot. url: of the service.

        Raises:
            ValueError: the token is none.
        """
        if not TOKEN.fullmatch(token):
            raise ValueError("expected a bot's token, such as 123456:ABC-DEF")
        self._url = f"{url.rstrip('/')}/bot{token}/sendMessage"
        self._timeout_s = timeout_s
        self._client = new_client()

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Send a message to a chat, a number or a channel's @name, and return the answer.

        Raises:
            Undelivered: the chat is none, or the service did not take it.
        """
        if not CHAT.fullmatch(to):
            raise Undelivered("the chat is neither a number nor @name", permanent=True)
        request = self._client.build_request(
            "POST",
            self._url,
            content=msgspec.json.encode(sent(message, to)),
            headers={"Content-Type": "application/json"},
        )
        answer = await exchange(self._client, request, timeout_s=self._timeout_s)
        try:
            return accepted(answer, to, status_only=True)
        except Undelivered as refused:
            asked = _retry_after_s(answer)
            raise Undelivered(
                str(refused),
                permanent=refused.permanent,
                retry_after_s=refused.retry_after_s if asked is None else asked,
            ) from None

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()


def sent(message: NotificationMessage, chat: str) -> dict[str, object]:
    """Return what the service is told, JSON values; the text is plain: nothing in it is markup."""
    body: dict[str, object] = {
        "chat_id": chat,
        "text": f"{message.subject}\n{message.text}"[:MOST_CHARACTERS],
        "link_preview_options": {"is_disabled": True},
    }
    if message.url:
        buttons = [
            {"text": text(message.language, f"answer.{answer}"), "url": f"{message.url}?answer={answer}"}
            for answer in ReaderAnswer
        ]
        body["reply_markup"] = {"inline_keyboard": [buttons]}
    return body


def _retry_after_s(answer: ServiceAnswer) -> float | None:
    """Return what the body asks for: the service says it there."""
    try:
        parameters = msgspec.json.decode(answer.body, type=_BotAnswer).parameters
    except msgspec.DecodeError:
        return None
    if parameters is None or parameters.retry_after is None:
        return None
    return bounded(parameters.retry_after)
