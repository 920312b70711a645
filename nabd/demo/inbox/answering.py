"""Answers messages as a phone would: by the signed link of one, or by an SMS that a gateway passes on.

Must not know what an answer does: the API decides.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx2

from nabd.demo.inbox.messages import Inbox, InboxMessage
from notify.message import ReaderAnswer

TIMEOUT_S = 10.0
OVER = frozenset({403, 409})
"""What is answered where no other answer would count either: used, expired, ended, or not theirs any more."""
_NO_ANSWER = "the platform gave no answer"


class InboxPhone:
    """Answers by HTTP, past the proxies of the environment; notes in the inbox what came of it."""

    def __init__(self, inbox: Inbox, *, base: str, token: str) -> None:
        """base: of the API. token: may pass answers by SMS on."""
        self._inbox = inbox
        self._sms = f"{base}/api/v1/answers/sms"
        self._token = token
        self._client = httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT_S)

    async def press(self, message: InboxMessage, answer: ReaderAnswer) -> None:
        """Answer by the link that stands in a message; nothing where there is none."""
        if message.url is None:
            return
        headers = {"Accept": "application/json"}
        await self._note(message, str(answer), message.url, headers, data={"answer": str(answer)})

    async def reply(self, message: InboxMessage, text: str) -> None:
        """Answer an SMS."""
        headers = {"Authorization": f"Bearer {self._token}"}
        await self._note(message, text, self._sms, headers, json={"from": message.to, "text": text})

    async def _note(
        self,
        message: InboxMessage,
        said: str,
        url: str,
        headers: dict[str, str],
        *,
        data: dict[str, str] | None = None,
        json: dict[str, str] | None = None,
    ) -> None:
        try:
            answer = await self._client.post(url, headers=headers, data=data, json=json)
        except httpx2.HTTPError:
            self._inbox.answered(message.number, _NO_ANSWER, done=False, closed=False)
            return
        done = answer.is_success
        self._inbox.answered(
            message.number,
            said if done else _refusal(answer),
            done=done,
            closed=done or answer.status_code in OVER,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()


def _refusal(answer: httpx2.Response) -> str:
    """Return why an answer does not count, as the API says it."""
    try:
        said = answer.json()
    except ValueError:
        return f"{_NO_ANSWER} but status {answer.status_code}"
    detail = said.get("detail") if isinstance(said, dict) else None
    return detail if isinstance(detail, str) else f"status {answer.status_code}"
