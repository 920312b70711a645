"""The sentences of a message about one alert, and counts of several. Pure.

Texts of devices, rules and people come as they are: whoever puts them into HTML escapes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from babel.lists import format_list

from devices.texts.catalogue import plural, text
from devices.texts.languages import Language, isolated
from notify.message import AlertNews, Occasion, Reader, WorkNews
from notify.texts.times import lasting, moment

_SOON = timedelta(minutes=1)
"""An alert that is younger needs no word about its age."""


def heading(news: AlertNews, language: Language) -> str:
    """Return what a message about one alert is called: why it is told, what is the matter, and where.

    In one line. Most sentences name the place already.
    """
    what = one_line(news.sentence).rstrip(".")
    if where(news).split(",")[0] not in what:
        what = text(language, "notice.placed", what=what, where=isolated(where(news), language))
    said = text(
        language,
        f"notice.{news.occasion}",
        severity=text(language, f"severity.{news.severity}"),
        what=what,
    )
    return said[:1].upper() + said[1:]


def where(news: AlertNews) -> str:
    """Return the place, or the device where none is known; in one line."""
    return one_line(news.place or news.device)


def full_place(news: AlertNews, language: Language) -> str:
    """Return place and device, each in the direction of its own letters."""
    device = isolated(one_line(news.device), language)
    if not news.place or one_line(news.place) == one_line(news.device):
        return device
    return f"{isolated(one_line(news.place), language)} ({device})"


def when(news: AlertNews, reader: Reader, *, briefly: bool = False) -> str:
    """Return since when it has been and for how long, or how long it was; `briefly`: since when alone."""
    if news.occasion is Occasion.RESOLVED:
        until = news.until or reader.at
        length = lasting(until - news.since, reader)
        return text(reader.language, "notice.over", when=moment(until, reader), duration=length)
    began, age = moment(news.since, reader), reader.at - news.since
    if briefly or age < _SOON:
        return text(reader.language, "notice.since", when=began)
    return text(reader.language, "notice.since_for", when=began, duration=lasting(age, reader))


def late(news: AlertNews, reader: Reader) -> str | None:
    """Return how late it is told, None where it is not."""
    if not news.late_s:
        return None
    delay = lasting(timedelta(seconds=news.late_s), reader)
    return text(reader.language, "notice.late", duration=delay)


def first_action(news: AlertNews, language: Language) -> str | None:
    """Return what is done first, None where nothing is known or nothing is left to do."""
    if not news.first_action or news.occasion is Occasion.RESOLVED:
        return None
    return text(language, "notice.first", action=one_line(news.first_action))


def map_link(news: AlertNews | WorkNews) -> str | None:
    """Return a link that a phone opens in its own map, None where the place is not known."""
    if news.lat is None or news.lon is None:
        return None
    return f"geo:{news.lat:.6f},{news.lon:.6f}"


def counts(news: Sequence[AlertNews], language: Language) -> str:
    """Return how many alerts there are, by severity, and how many are over."""
    over = sum(one.occasion is Occasion.RESOLVED for one in news)
    by_severity = Counter(one.severity for one in news if one.occasion is not Occasion.RESOLVED)
    parts = [
        plural(language, f"notice.count_{value}", by_severity[value])
        for value in sorted(by_severity, key=lambda one: -one.rank)
    ]
    if over:
        parts.append(plural(language, "notice.count_resolved", over))
    what = format_list(parts, style="unit", locale=language)
    return text(language, "notice.several", alerts=plural(language, "notice.alerts", len(news)), what=what)


def one_line(value: str) -> str:
    """Return a text without breaks and control characters, which could pass for lines of ours."""
    return " ".join("".join(c if c.isprintable() or c in _MARKS else " " for c in value).split())


_MARKS = frozenset("\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069\u00a0\u202f")
"""Joiners, marks of direction that nest, and narrow spaces: rule texts hold them."""
