"""A message as an HTML document for e-mail: styles stand at the elements, nothing is fetched. Pure.

Every text of devices, rules and people is escaped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from alerts.transition import Severity
from devices.texts.catalogue import text
from devices.texts.languages import Language, direction_of
from notify.message import AlertNews, Occasion, Reader
from notify.texts import phrases

COLOURS: Mapping[Severity, str] = {
    Severity.CRITICAL: "#b3202b",
    Severity.MAJOR: "#c2410c",
    Severity.MINOR: "#a16207",
    Severity.WARNING: "#1d4ed8",
}
OVER = "#0f766e"
"""Of an alert that has ended, and of the button."""

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{subject}</title></head>
<body style="margin:0;padding:16px;font:16px/1.5 system-ui,Tahoma,sans-serif">
<h1 style="margin:0 0 12px;font-size:20px">{subject}</h1>
{parts}
</body>
</html>
"""
_ALERT = (
    '<div style="margin:0 0 12px;padding:8px 14px;border:1px solid #dbe3e1;'
    'border-{start}:5px solid {colour}">{lines}</div>'
)
_LINE = '<p style="margin:4px 0">{line}</p>'
_EXACT = '<pre dir="ltr" style="white-space:pre-wrap;font:12px/1.4 monospace">{lines}</pre>'
_BUTTON = (
    '<p><a href="{url}" style="display:inline-block;padding:10px 18px;border-radius:8px;background:{colour};'
    'color:#fff;text-decoration:none">{label}</a></p>'
)


def html_body(
    subject: str,
    news: Sequence[AlertNews],
    reader: Reader,
    *,
    url: str | None = None,
    more: str | None = None,
) -> str:
    """Return the document.

    Args:
        news: what is shown. more: how many are not, in words.
        url: where the reader answers.
    """
    parts = [_alert(one, reader, alone=len(news) == 1) for one in news]
    if more:
        parts.append(_LINE.format(line=escape(more)))
    if url:
        label = escape(text(reader.language, "answer.open"))
        parts.append(_BUTTON.format(url=escape(url), colour=OVER, label=label))
    return _page(subject, parts, reader.language)


def html_of(
    subject: str,
    lines: Sequence[str],
    language: Language,
    *,
    map_link: str | None = None,
    exact: Sequence[str] = (),
) -> str:
    """Return the document of some lines of text, of no alert.

    exact: lines for programs, shown as they are.
    """
    parts = [_LINE.format(line=escape(line)) for line in lines]
    if map_link is not None:
        label = escape(text(language, "answer.map"))
        parts.append(_LINE.format(line=f'<a href="{escape(map_link)}">{label}</a>'))
    if exact:
        parts.append(_EXACT.format(lines=escape("\n".join(exact))))
    return _page(subject, parts, language)


def _page(subject: str, parts: Sequence[str], language: Language) -> str:
    return _PAGE.format(
        language=language,
        direction=direction_of(language),
        subject=escape(subject),
        parts="\n".join(parts),
    )


def _alert(news: AlertNews, reader: Reader, *, alone: bool) -> str:
    lines = [] if alone else [f"<strong>{escape(phrases.heading(news, reader.language))}</strong>"]
    said = [
        phrases.one_line(news.sentence) if alone else None,
        phrases.full_place(news, reader.language),
        phrases.when(news, reader),
        phrases.late(news, reader),
        phrases.first_action(news, reader.language),
    ]
    lines += [escape(line) for line in said if line]
    if (link := phrases.map_link(news)) is not None:
        lines.append(f'<a href="{escape(link)}">{escape(text(reader.language, "answer.map"))}</a>')
    return _ALERT.format(
        start="left" if direction_of(reader.language) == "ltr" else "right",
        colour=OVER if news.occasion is Occasion.RESOLVED else COLOURS[news.severity],
        lines="".join(_LINE.format(line=line) for line in lines),
    )
