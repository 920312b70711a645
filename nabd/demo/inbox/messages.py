"""What the inbox has caught: messages in the order of their arrival, the newest thousand. No I/O.

Who a message was for is found by its address. Must not know how messages arrive or are shown.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from devices.instants import Now
from devices.texts.languages import DEFAULT, Language

KEPT = 1_000
_CODE = re.compile(r"(?<!\d)[1-9]\d{4}(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxReader:
    """Whom messages are for: name of the account, how they are called, and their language."""

    name: str
    display_name: str
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """One message. at: microseconds since 1970-01-01Z on the demo's clock.

    reader: None where the address is nobody's. url: where it is answered, None where it cannot be. code: what
    an SMS is answered with. answer: what became of an answer, empty while there is none; answered: it counts;
    closed: there is nothing more to answer.
    """

    number: int
    channel: str
    to: str
    at: int
    subject: str
    text: str
    reader: InboxReader | None
    html: str | None = None
    url: str | None = None
    code: str | None = None
    answer: str = ""
    answered: bool = False
    closed: bool = False

    @property
    def language(self) -> Language:
        """Return the language that it is written in."""
        return DEFAULT if self.reader is None else self.reader.language


Watcher = Callable[[InboxMessage], None]


class Inbox:
    """Keeps messages by number; watchers hear of each one that arrives."""

    def __init__(self, readers: Mapping[str, InboxReader], now: Now, *, public_url: str) -> None:
        """readers: by address of any channel. public_url: what links that answer begin with."""
        self._readers = readers
        self._now = now
        self._link = re.compile(re.escape(public_url.rstrip("/")) + r"/answer/[-_A-Za-z0-9.~]+")
        self._messages: OrderedDict[int, InboxMessage] = OrderedDict()
        self._number = 0
        self.watchers: list[Watcher] = []

    def catch(
        self,
        channel: str,
        to: str,
        subject: str,
        text: str,
        *,
        html: str | None = None,
        url: str | None = None,
    ) -> None:
        """Keep a message; url: where it is answered, where its text does not say that."""
        self._number += 1
        link = self._link.search(url or text)
        code = _CODE.findall(text) if channel == "sms" else []
        message = InboxMessage(
            number=self._number,
            channel=channel,
            to=to,
            at=self._now(),
            subject=subject,
            text=text,
            reader=self._readers.get(to),
            html=html,
            url=link[0] if link else None,
            code=code[-1] if code else None,
        )
        self._messages[message.number] = message
        if len(self._messages) > KEPT:
            self._messages.popitem(last=False)
        for watcher in self.watchers:
            watcher(message)

    def find(self, number: int) -> InboxMessage | None:
        """Return a message; None where there is none of that number any more."""
        return self._messages.get(number)

    def answered(self, number: int, answer: str, *, done: bool, closed: bool) -> None:
        """Note what became of an answer; done: it counts. closed: there is nothing more to answer."""
        if found := self._messages.get(number):
            self._messages[number] = replace(found, answer=answer, answered=done, closed=closed)

    def newest_first(self, reader: str | None = None) -> list[InboxMessage]:
        """Return what there is, or what one person was sent."""
        chosen: Iterable[InboxMessage] = reversed(self._messages.values())
        return [m for m in chosen if reader is None or (m.reader and m.reader.name == reader)]

    @property
    def readers(self) -> list[InboxReader]:
        """Everybody whose messages are known as theirs, once each, in the order given."""
        return list(dict.fromkeys(self._readers.values()))
