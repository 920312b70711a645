"""The page where a reader answers a message: what the alerts are, two buttons, and a word if they like.

In the reader's language; whoever shows a link that is none gets the browser's. Must not know what an answer
does.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from alerts.transition import Severity
from devices.texts.catalogue import plural, text
from devices.texts.languages import Language, direction_of
from notify.message import ReaderAnswer

MOST_ALERTS = 20
"""That are shown one by one."""
_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="referrer" content="same-origin">
  <meta name="robots" content="noindex">
  <title>Nabd نبض</title>
  <link rel="stylesheet" href="/console/signin.css">
</head>
<body>
  <main>
    <h1>Nabd <span lang="ar" dir="rtl">نبض</span></h1>
{parts}
  </main>
</body>
</html>
"""
_FORM = """    <form method="post">
      <label>{comment}<input name="comment" maxlength="{longest}" autocomplete="off"></label>
      {buttons}
    </form>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAlert:
    """One alert as the page shows it; both texts are in the reader's language, not escaped."""

    severity: Severity
    sentence: str
    place: str
    ended: bool


def asking(
    language: Language, alerts: Sequence[ShownAlert], *, chosen: ReaderAnswer | None, longest: int
) -> str:
    """Return the page that asks. chosen: the button that the reader pressed in the message."""
    buttons = "\n      ".join(
        f'<button name="answer" value="{answer}"{" autofocus" if answer is chosen else ""}>'
        f"{html.escape(text(language, f'answer.{answer}'))}</button>"
        for answer in ReaderAnswer
    )
    form = _FORM.format(
        comment=html.escape(text(language, "answer.comment")), longest=longest, buttons=buttons
    )
    return _page(language, [*_listed(language, alerts), form])


def said(language: Language, alerts: Sequence[ShownAlert], what: str, *, wrong: bool = False) -> str:
    """Return the page that says what came of it: a text of the catalogue in the reader's language."""
    style = ' class="wrong" role="alert"' if wrong else ' role="status"'
    return _page(language, [*_listed(language, alerts), f"    <p{style}>{html.escape(what)}</p>"])


def _listed(language: Language, alerts: Sequence[ShownAlert]) -> list[str]:
    lines = [_line(language, alert) for alert in alerts[:MOST_ALERTS]]
    if (left := len(alerts) - MOST_ALERTS) > 0:
        lines.append(f"    <p>{html.escape(plural(language, 'notice.more', left))}</p>")
    return lines


def _line(language: Language, alert: ShownAlert) -> str:
    state = text(language, "answer.over") if alert.ended else text(language, f"severity.{alert.severity}")
    state = state[:1].upper() + state[1:]
    return (
        f"    <p><strong>{html.escape(state)}</strong>: <bdi>{html.escape(alert.sentence)}</bdi> "
        f"(<bdi>{html.escape(alert.place)}</bdi>)</p>"
    )


def _page(language: Language, parts: Sequence[str]) -> str:
    return _PAGE.format(language=language, direction=direction_of(language), parts="\n".join(parts))
