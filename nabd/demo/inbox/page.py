"""The page of the inbox, as text: newest first, in the language chosen; each message in its reader's.

Everything that was sent is escaped. Must not know how messages arrive, nor HTTP.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from urllib.parse import urlencode

from babel import Locale
from babel.dates import format_datetime

from devices.instants import to_datetime
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES, LOCALES, Language, direction_of, name_of
from nabd.demo.inbox.messages import InboxMessage, InboxReader
from notify.message import ReaderAnswer

SHOWN = 200
"""Most messages on the page."""
_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{title} · Nabd نبض</title>
  <link rel="stylesheet" href="/style.css">
  <noscript><meta http-equiv="refresh" content="10"></noscript>
  <script src="/script.js" defer></script>
</head>
<body>
  <header>
    <h1><span class="brand">Nabd <bdi lang="ar">نبض</bdi></span> {title}</h1>
    <nav class="languages">{languages}</nav>
    <p>{intro}</p>
  </header>
  <main id="messages">
    <nav class="people">{people}</nav>
{messages}
  </main>
</body>
</html>
"""
_MESSAGE = """    <article id="m{number}" class="{channel}" lang="{language}" dir="{direction}">
      <div class="head"><span class="channel">{shown_channel}</span> <strong><bdi>{who}</bdi></strong>
        <bdi class="to" dir="ltr">{to}</bdi> <time>{when}</time></div>
{body}
    </article>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """What is asked for. title: of the town, in `language`. reader: whose messages; None: everybody's."""

    language: Language
    title: str
    zone: tzinfo
    reader: str | None = None

    @property
    def query(self) -> str:
        """Return what an address of this page ends with."""
        return _query(self.language, self.reader)

    def render(self, messages: Sequence[InboxMessage], readers: Sequence[InboxReader]) -> str:
        """Return the page; messages: newest first."""
        shown = [self._message(message) for message in messages[:SHOWN]]
        empty = f'    <p class="empty">{_text(self.language, "inbox.empty")}</p>'
        return _PAGE.format(
            language=self.language,
            direction=direction_of(self.language),
            title=html.escape(text(self.language, "inbox.title", town=self.title)),
            intro=_text(self.language, "inbox.intro"),
            languages=" ".join(map(self._in_language, LANGUAGES)),
            people=" ".join([self._everyone(), *map(self._of_reader, readers)]),
            messages="\n".join(shown) or empty,
        )

    def _in_language(self, language: Language) -> str:
        name = html.escape(name_of(language))
        current = ' aria-current="true"' if language == self.language else ""
        return f'<a lang="{language}" href="/?{_query(language, self.reader)}"{current}>{name}</a>'

    def _everyone(self) -> str:
        current = ' aria-current="true"' if self.reader is None else ""
        return f'<a href="/?{_query(self.language)}"{current}>{_text(self.language, "inbox.everyone")}</a>'

    def _of_reader(self, reader: InboxReader) -> str:
        current = ' aria-current="true"' if self.reader == reader.name else ""
        shown = html.escape(reader.display_name)
        return f'<a href="/?{_query(self.language, reader.name)}"{current}><bdi>{shown}</bdi></a>'

    def _message(self, message: InboxMessage) -> str:
        language = message.language
        locale = Locale.parse(LOCALES[language], sep="-")
        at = format_datetime(to_datetime(message.at), "d MMM HH:mm:ss", self.zone, locale)
        return _MESSAGE.format(
            number=message.number,
            channel=html.escape(message.channel),
            language=language,
            direction=direction_of(language),
            shown_channel=_channel(message.channel, language),
            who=html.escape(message.reader.display_name if message.reader else message.to),
            to=html.escape(message.to if message.reader else ""),
            when=html.escape(at),
            body="\n".join(f"      {part}" for part in self._body(message) if part),
        )

    def _body(self, message: InboxMessage) -> list[str]:
        subject = f"<h2>{html.escape(message.subject)}</h2>" if message.subject else ""
        said = f'<p class="said">{html.escape(_without_link(message))}</p>'
        return [subject, said, self._actions(message), _what_came_of_it(message)]

    def _actions(self, message: InboxMessage) -> str:
        """Return the buttons by which a message is answered, and the link to its other form."""
        found = []
        language, address = message.language, f"/messages/{message.number}"
        if message.url and not message.closed:
            buttons = " ".join(
                f'<button name="answer" value="{answer}">{_text(language, f"answer.{answer}")}</button>'
                for answer in ReaderAnswer
            )
            found.append(_form(f"{address}/answer?{self.query}", buttons))
        elif message.code and not message.closed:
            code = html.escape(message.code)
            label = _text(language, "inbox.reply")
            field = f'<input name="text" value="{code}" dir="auto" autocomplete="off" aria-label="{label}">'
            found.append(_form(f"{address}/reply?{self.query}", f"{field} <button>{label}</button>"))
        if message.html is not None:
            found.append(f'<a class="form" href="{address}">{_text(language, "inbox.as_html")}</a>')
        return f'<div class="actions">{"".join(found)}</div>' if found else ""


def _form(address: str, inner: str) -> str:
    return f'<form method="post" action="{html.escape(address)}">{inner}</form>'


def _without_link(message: InboxMessage) -> str:
    """Return the text of a message; the buttons say what its link says."""
    lines = message.text.strip().splitlines()
    if message.url:
        lines = [line.replace(message.url, "").rstrip() for line in lines if not _leads(line, message.url)]
    return "\n".join(lines).strip() or "…"


def _leads(line: str, url: str) -> bool:
    """Tell whether a line says nothing but where to answer."""
    return url in line and line.replace(url, "").strip().endswith(":")


def _what_came_of_it(message: InboxMessage) -> str:
    if not message.answer:
        return ""
    language, said = message.language, message.answer
    if said in set(ReaderAnswer):
        said = text(language, f"answer.done_{said}")
    style = "done" if message.answered else "wrong"
    return f'<p class="{style}" role="status"><bdi>{html.escape(said)}</bdi></p>'


def _channel(channel: str, language: Language) -> str:
    """Return what a channel is called; names of protocols are the same everywhere."""
    match channel:
        case "email":
            return _text(language, "inbox.email")
        case "sms":
            return _text(language, "inbox.sms")
        case _:
            return html.escape(channel)


def _text(language: Language, key: str) -> str:
    return html.escape(text(language, key))


def _query(language: Language, reader: str | None = None) -> str:
    return html.escape(urlencode({"lang": language} | ({"to": reader} if reader else {})))
