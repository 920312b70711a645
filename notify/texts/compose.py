"""Writes what one receiver reads of an alert, or of several in one digest. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from devices.texts.catalogue import plural, text
from notify.message import AlertNews, NotificationMessage, Occasion, Reader
from notify.texts import phrases
from notify.texts.html_body import html_body
from notify.texts.sms import fits, shortened, simplified

MOST_LINES = 20
"""Of a digest; the rest is a number."""


def compose(
    message_id: str,
    thread: str,
    news: Sequence[AlertNews],
    reader: Reader,
    *,
    url: str | None = None,
    answer_code: str | None = None,
) -> NotificationMessage:
    """Return what a receiver is told.

    Args:
        message_id: stable: the same for every attempt to tell it.
        thread: the same for everything that is told of the same thing.
        news: one alert at least.
        url: a signed page where the reader answers.
        answer_code: what an SMS is answered with.
    """
    ordered = sorted(news, key=_urgency)
    worst = ordered[0]
    subject = _subject(ordered, reader)
    return NotificationMessage(
        id=message_id,
        thread=thread,
        occasion=worst.occasion,
        severity=worst.severity,
        language=reader.language,
        subject=subject,
        text=_text(ordered, reader, url),
        short=_short(ordered, reader, url, answer_code),
        html=html_body(subject, ordered[:MOST_LINES], reader, url=url, more=_more(ordered, reader)),
        url=url,
        answer_code=answer_code,
        alerts=tuple(one.alert for one in ordered),
        news=tuple(ordered),
    )


def _urgency(news: AlertNews) -> tuple[bool, int, float]:
    return news.occasion is Occasion.RESOLVED, -news.severity.rank, news.since.timestamp()


def _subject(ordered: Sequence[AlertNews], reader: Reader) -> str:
    if len(ordered) == 1:
        return phrases.heading(ordered[0], reader.language)
    return phrases.counts(ordered, reader.language)


def _more(ordered: Sequence[AlertNews], reader: Reader) -> str | None:
    left = len(ordered) - MOST_LINES
    return plural(reader.language, "notice.more", left) if left > 0 else None


def _text(ordered: Sequence[AlertNews], reader: Reader, url: str | None) -> str:
    if len(ordered) == 1:
        lines = _of_one(ordered[0], reader)
    else:
        lines = [f"- {_in_digest(one, reader)}" for one in ordered[:MOST_LINES]]
        lines += [more] if (more := _more(ordered, reader)) else []
    if url:
        lines += ["", text(reader.language, "notice.answer", url=url)]
    return "\n".join(lines)


def _of_one(news: AlertNews, reader: Reader) -> list[str]:
    link = phrases.map_link(news)
    wanted = [
        phrases.one_line(news.sentence),
        phrases.full_place(news, reader.language),
        phrases.when(news, reader),
        phrases.late(news, reader),
        phrases.first_action(news, reader.language),
        link and text(reader.language, "notice.map", link=link),
    ]
    return [line for line in wanted if line]


def _in_digest(news: AlertNews, reader: Reader) -> str:
    parts = [
        f"{phrases.heading(news, reader.language)}.",
        phrases.when(news, reader),
        phrases.late(news, reader),
    ]
    return " ".join(part for part in parts if part)


def _short(ordered: Sequence[AlertNews], reader: Reader, url: str | None, answer_code: str | None) -> str:
    """Return one SMS: what is the matter and its code first; the link, then the time, where there is room."""
    what, time = _said_in_short(ordered, reader)
    code = text(reader.language, "notice.reply", code=answer_code) if answer_code else ""
    for parts in ((what, time, code, url), (what, code, url), (what, time, code), (what, code)):
        whole = simplified(" ".join(part for part in parts if part))
        if fits(whole):
            return whole
    return shortened(simplified(what), simplified(code))


def _said_in_short(ordered: Sequence[AlertNews], reader: Reader) -> tuple[str, str]:
    first = ordered[0]
    what = f"{phrases.heading(first, reader.language)}."
    if len(ordered) > 1:
        return f"{_subject(ordered, reader)}. {what}", ""
    if late := phrases.late(first, reader):
        return f"{what} {late}", ""
    return what, phrases.when(first, reader, briefly=True)
