"""Writes what one receiver reads of a work order. Pure."""

from __future__ import annotations

from devices.texts.catalogue import text
from notify.message import NotificationMessage, Reader, WorkNews
from notify.texts import phrases
from notify.texts.html_body import html_of
from notify.texts.phrases import isolated, one_line
from notify.texts.sms import fits, shortened, simplified
from notify.texts.times import moment


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
        severity=None if news.event == "cancelled" else news.severity,
        language=reader.language,
        subject=subject,
        text="\n".join(lines + mapped),
        short=_short(subject, news, reader),
        html=html_of(subject, lines, reader.language, map_link=link),
        work=news,
    )


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
    language, over = reader.language, news.event == "cancelled"
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
    """Return one SMS: what it is about, then the next deadline where there is room."""
    over = news.event == "cancelled"
    due = None if over else _due(news, reader, answer=True) or _due(news, reader, answer=False)
    what = simplified(f"{subject}.")
    if due and fits(whole := simplified(f"{subject}. {due}")):
        return whole
    return shortened(what, "")
