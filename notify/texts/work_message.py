"""Writes what one receiver reads of a work order. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from devices.texts.catalogue import plural, text
from devices.texts.languages import isolated
from notify.message import NotificationMessage, Reader, WorkNews
from notify.texts import phrases
from notify.texts.html_body import html_of
from notify.texts.phrases import one_line
from notify.texts.sms import fits, shortened, simplified
from notify.texts.times import moment

OVER = frozenset({"cancelled", "withdrawn"})
"""Of what nothing is to be done any more."""


def work_message(message_id: str, news: WorkNews, reader: Reader) -> NotificationMessage:
    """Return what a receiver is told; message_id: the same for every attempt to tell it."""
    subject = _subject(news, reader)
    lines = _lines(news, reader)
    link = phrases.map_link(news)
    mapped = [text(reader.language, "notice.map", link=link)] if link else []
    return NotificationMessage(
        id=message_id,
        thread=f"work-{news.order}",
        occasion=None,
        severity=None if news.event in OVER else news.severity,
        language=reader.language,
        subject=subject,
        text="\n".join(lines + mapped),
        short=_short(subject, news, reader),
        html=html_of(subject, lines, reader.language, map_link=link),
        work=news,
    )


def work_digest(message_id: str, news: Sequence[WorkNews], count: int, reader: Reader) -> NotificationMessage:
    """Return what a receiver is told of several orders at once, to which the same happened.

    news: those that are named. count: how many there are.
    """
    event, language = news[0].event, reader.language
    subject = text(language, f"order.many_{event}", n=str(count))
    lines = [_named(one, reader) for one in news]
    if count > len(news):
        lines.append(plural(language, "notice.more", count - len(news)))
    return NotificationMessage(
        id=message_id,
        thread=f"works-{news[0].municipality}-{event}",
        occasion=None,
        severity=None if event in OVER else news[0].severity,
        language=language,
        subject=subject,
        text="\n".join([subject, *lines]),
        short=shortened(simplified(f"{subject}."), ""),
        html=html_of(subject, lines, language),
    )


def _named(news: WorkNews, reader: Reader) -> str:
    place = isolated(one_line(news.place or news.device), reader.language)
    what = one_line(news.what).rstrip(".")
    return f"{news.order}: {what}, {place}" if what else f"{news.order}: {place}"


def _subject(news: WorkNews, reader: Reader) -> str:
    what = one_line(news.what).rstrip(".")
    place = one_line(news.place or news.device)
    if not what:
        what = isolated(place, reader.language)
    elif place.split(",")[0] not in what:
        what = text(reader.language, "notice.placed", what=what, where=isolated(place, reader.language))
    order = str(news.order)
    if news.event == "assigned" and news.team:
        team = isolated(one_line(news.team), reader.language)
        return text(reader.language, "order.assigned_team", order=order, what=what, team=team)
    return text(reader.language, f"order.{news.event}", order=order, what=what)


def _lines(news: WorkNews, reader: Reader) -> list[str]:
    language, over = reader.language, news.event in OVER
    device = isolated(one_line(news.device), language)
    place = f"{isolated(one_line(news.place), language)} ({device})" if news.place else device
    wanted = [
        one_line(news.sentence) if news.sentence else None,
        place,
        text(language, "order.reason", reason=one_line(news.reason)) if news.reason and over else None,
        None if over else _due(news, reader, answer=True),
        None if over else _due(news, reader, answer=False),
        text(language, "notice.first", action=one_line(news.first_action))
        if news.first_action and not over
        else None,
    ]
    return [line for line in wanted if line]


def _due(news: WorkNews, reader: Reader, *, answer: bool) -> str | None:
    """Return until when it is to be accepted, or done; None where there is no deadline, or not any more."""
    due = news.response_due_at if answer else news.repair_due_at
    if due is None:
        return None
    key = "order.accept_by" if answer else "order.done_by"
    return text(reader.language, key, when=moment(due, reader))


def _short(subject: str, news: WorkNews, reader: Reader) -> str:
    """Return one SMS: what it is about, then the deadline that matters where there is room."""
    over, repair = news.event in OVER, news.event.startswith("repair-")
    due = None if over else _due(news, reader, answer=not repair) or _due(news, reader, answer=False)
    what = simplified(f"{subject}.")
    if due and fits(whole := simplified(f"{subject}. {due}")):
        return whole
    return shortened(what, "")
