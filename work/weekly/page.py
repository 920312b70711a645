"""The report of a week as one HTML page to be printed: A4, nothing fetched, every text escaped here. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from html import escape

from devices.texts.languages import Language, called, direction_of
from work.figures.facts import AIM, TimeFigures, WorkFigures
from work.figures.shaping import AGES
from work.weekly.bars import bar
from work.weekly.reading import FailingDevice, OpenWork, WeekReport
from work.weekly.wording import NOTHING, ReportStyle, wording_of

STYLE = """
@page { size: A4; margin: 16mm 15mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 182mm; color: #17211f; background: #fff;
  font: 10.5pt/1.45 "Noto Sans Arabic", "Noto Sans", "DejaVu Sans", Tahoma, sans-serif; }
@media print { body { padding: 0; max-width: none; font-size: 9.5pt; } .headline { font-size: 11pt; } }
bdi { unicode-bidi: isolate; }
.whole { break-inside: avoid; }
h1 { margin: 0; font-size: 17pt; line-height: 1.25; }
h2 { margin: 18px 0 6px; font-size: 12pt; color: #0b544f; break-after: avoid; }
p { margin: 4px 0; }
.when { color: #4d5b58; }
.headline { margin: 12px 0; padding: 10px 14px; background: #eef5f3; border-inline-start: 5px solid #0f766e;
  font-size: 12pt; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 3px 6px; text-align: start; vertical-align: top; border-bottom: 1px solid #dbe3e1; }
thead th { color: #4d5b58; font-weight: 600; font-size: 9pt; border-bottom: 2px solid #b9c6c3; }
thead { display: table-header-group; }
tbody th { font-weight: 400; }
tr { break-inside: avoid; }
td.n, th.n { text-align: end; }
td.n { white-space: nowrap; }
.late { color: #a3161f; font-weight: 600; }
.bar { vertical-align: middle; max-width: 100%; }
.small { color: #4d5b58; font-size: 9pt; }
ul { margin: 4px 0; padding-inline-start: 18px; }
"""
"""The only style; whoever serves the page allows it by its hash."""

_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{parts}
</body>
</html>
"""


_LONG = ("weekly.open_orders", "weekly.districts", "weekly.teams")
"""Sections that may be cut at the end of a printed page."""


def page_of(report: WeekReport, language: Language) -> str:
    """Return the document."""
    w = wording_of(report.town, language)
    parts = [
        _head(report, w),
        _section(w, "weekly.together", _together(report, w)),
        _section(w, "weekly.deadlines", _deadlines(report, w)),
        _section(w, "weekly.effectiveness", _effectiveness(report, w)),
        _section(w, "weekly.ages", _ages(report.week, w)),
        _section(w, "weekly.open_orders", _open(report, w)),
        _section(w, "weekly.districts", _groups(report, report.districts, "district", w)),
    ]
    if report.teams is not None:
        parts.append(_section(w, "weekly.teams", _groups(report, report.teams, "team", w)))
    parts += [
        _section(w, "weekly.repeated", _repeated(report, w)),
        _section(w, "weekly.notes", _notes(report, w)),
    ]
    return _PAGE.format(
        language=language, direction=direction_of(language), title=escape(title_of(report, w)),
        style=STYLE, parts="\n".join(parts),
    )  # fmt: skip


def title_of(report: WeekReport, w: ReportStyle) -> str:
    """Return what the report is called: the town, and its week."""
    return w.text("weekly.title", town=w.named(report.town.title, report.town.name))


def dates_of(report: WeekReport, w: ReportStyle) -> str:
    """Return from when until when the week is."""
    return w.text("weekly.dates", first=w.day(report.monday), last=w.day(report.monday + timedelta(days=6)))


def headline(report: WeekReport, w: ReportStyle) -> str:
    """Return the week in a few sentences."""
    this = report.week
    said = [
        w.text(
            "weekly.headline",
            made=w.plural("weekly.orders_made", this.made),
            done=w.plural("weekly.orders_done", this.done),
            open=w.plural("weekly.orders_open", this.open.count),
            late=w.plural("weekly.orders_late", this.open.overdue),
        )
    ]
    share = this.effectiveness.share
    if share is None:
        said.append(w.text("weekly.helped_unknown"))
    else:
        key = "weekly.helped_reached" if share >= AIM else "weekly.helped_missed"
        said.append(w.text(key, share=w.share(share), aim=w.share(AIM)))
    return " ".join(said)


def _head(report: WeekReport, w: ReportStyle) -> str:
    lines = [
        f"<h1>{escape(title_of(report, w))}</h1>",
        f'<p class="when">{escape(dates_of(report, w))} (<bdi dir="ltr">{report.name}</bdi>)</p>',
    ]
    if report.until_at >= report.now:
        unfinished = w.text("weekly.unfinished", when=w.moment(report.until_at, report.until_at))
        lines.append(f'<p class="late">{escape(unfinished)}</p>')
    lines.append(f'<p class="headline">{escape(headline(report, w))}</p>')
    return "\n".join(lines)


def _section(w: ReportStyle, key: str, body: str) -> str:
    style = "" if key in _LONG else ' class="whole"'
    return f"<section{style}><h2>{escape(w.text(key))}</h2>\n{body}</section>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: range) -> str:
    """Return a table. heads: not escaped yet; rows: HTML, the first cell is the row's name."""
    kind = ["n" if at in numbers else "s" for at in range(len(heads))]
    top = "".join(f'<th scope="col" class="{k}">{escape(h)}</th>' for h, k in zip(heads, kind, strict=True))
    lines = [
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f'<td class="{k}">{cell}</td>' for cell, k in zip(row[1:], kind[1:], strict=True))
        + "</tr>"
        for row in rows
    ]
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _together(report: WeekReport, w: ReportStyle) -> str:
    def counts(one: WorkFigures) -> list[tuple[str, int]]:
        found = [
            ("weekly.made", one.made), ("weekly.done", one.done), ("weekly.reopened", one.reopened),
            ("weekly.cancelled", one.cancelled), ("weekly.open", one.open.count),
            ("weekly.late", one.open.overdue),
        ]  # fmt: skip
        if one.alerts is not None:
            found += [
                ("weekly.alerts_opened", one.alerts.opened), ("weekly.alerts_resolved", one.alerts.resolved),
                ("weekly.alerts_open", one.alerts.still_open),
            ]  # fmt: skip
        return found

    both = zip(counts(report.week), counts(report.before), strict=True)
    rows = [[escape(w.text(key)), w.number(now), w.number(then)] for (key, now), (_, then) in both]
    return _table(
        [w.text("weekly.figure"), w.text("weekly.this_week"), w.text("weekly.week_before")], rows, range(1, 3)
    )


def _deadlines(report: WeekReport, w: ReportStyle) -> str:
    this, before = report.week, report.before
    rows = [
        *_times(this.response, before.response, w, "weekly.response_median", "weekly.response_p90"),
        _kept("weekly.response_share", this.response, before.response, w),
        *_times(this.repair, before.repair, w, "weekly.repair_median", "weekly.repair_p90"),
        _kept("weekly.repair_share", this.repair, before.repair, w),
    ]
    heads = [
        w.text("weekly.figure"),
        w.text("weekly.this_week"),
        w.text("weekly.week_before"),
        w.text("weekly.target"),
    ]
    return _table(heads, rows, range(1, 4))


def _times(now: TimeFigures, then: TimeFigures, w: ReportStyle, half: str, nine: str) -> list[list[str]]:
    """Return the rows of median and 90th percentile; half, nine: keys of what they are called."""
    return [
        [escape(w.text(half)), w.lasting(now.median_s), w.lasting(then.median_s), NOTHING],
        [escape(w.text(nine)), w.lasting(now.p90_s), w.lasting(then.p90_s), NOTHING],
    ]


def _kept(key: str, now: TimeFigures, then: TimeFigures, w: ReportStyle) -> list[str]:
    return [escape(w.text(key)), _in_time(now, w), _in_time(then, w), w.share(1.0)]


def _in_time(times: TimeFigures, w: ReportStyle) -> str:
    if times.share is None:
        return NOTHING
    of = w.text("weekly.of", some=w.number(times.within), all=w.number(times.within + times.missed))
    return f"{escape(w.share(times.share))} ({escape(of)})"


def _effectiveness(report: WeekReport, w: ReportStyle) -> str:
    rows = []
    for key, one in (("weekly.this_week", report.week), ("weekly.week_before", report.before)):
        found = one.effectiveness
        drawn = ""
        if found.share is not None:
            said = w.text("weekly.bar_share", share=w.share(found.share), aim=w.share(found.aim))
            drawn = bar(found.share, said, rightward=w.rightward, mark=found.aim)
        rows.append(
            [escape(w.text(key)), drawn, escape(w.share(found.share)), w.number(found.verified),
             w.number(found.reopened), w.number(found.waiting)]
        )  # fmt: skip
    heads = ["", w.text("weekly.aim", aim=w.share(AIM)), w.text("weekly.share"), w.text("weekly.verified"),
             w.text("weekly.reopened"), w.text("weekly.waiting")]  # fmt: skip
    return _table(heads, rows, range(2, 6))


def _ages(this: WorkFigures, w: ReportStyle) -> str:
    most = max(this.open.by_age.values(), default=0)
    if not most:
        return f"<p>{escape(w.text('weekly.none_open'))}</p>"
    rows = []
    for age in AGES:
        count, said = this.open.by_age[age], w.text(f"weekly.age_{age}")
        drawn = bar(count / most, f"{said}: {w.number(count)}", rightward=w.rightward)
        rows.append([escape(said), drawn, w.number(count)])
    return _table([w.text("weekly.age"), "", w.text("weekly.open")], rows, range(2, 3))


def _open(report: WeekReport, w: ReportStyle) -> str:
    if not report.open:
        return f"<p>{escape(w.text('weekly.none_open'))}</p>"
    named = report.teams is not None
    heads = [w.text("weekly.order"), w.text("weekly.what"), w.text("weekly.place"), w.text("weekly.deadline")]
    rows = [_open_row(one, w, report) for one in report.open]
    if named:
        heads.insert(3, w.text("weekly.whose"))
    else:
        rows = [[*row[:3], row[4]] for row in rows]
    left = report.week.open.count - len(report.open)
    more = f'<p class="small">{escape(w.plural("weekly.more", left))}</p>' if left > 0 else ""
    return _table(heads, rows, range(0)) + more


def _open_row(one: OpenWork, w: ReportStyle, report: WeekReport) -> list[str]:
    what = one.title or w.named(one.said, "") or NOTHING
    team = w.named(report.titles.get(f"team {one.team}"), one.team) if one.team else None
    due = NOTHING if one.due_at is None else w.moment(one.due_at, report.until_at)
    if one.overdue:
        due = f'<span class="late">{escape(due)}<br>{escape(w.text("weekly.late_one"))}</span>'
    else:
        due = escape(due)
    return [
        w.number(one.id),
        f"<bdi>{escape(what)}</bdi>",
        _place(one, w),
        f"<bdi>{escape(one.assignee or team or w.text('weekly.nobody'))}</bdi>",
        due,
    ]


def _place(one: OpenWork | FailingDevice, w: ReportStyle) -> str:
    places = (called(one.device_title, one.device_titles, w.language), w.named(one.district, ""))
    shown = " · ".join(f"<bdi>{escape(place)}</bdi>" for place in places if place)
    named = f'<bdi class="small">{escape(one.device)}</bdi>'
    return f"{shown}<br>{named}" if shown else named


def _groups(report: WeekReport, found: Sequence[WorkFigures], kind: str, w: ReportStyle) -> str:
    if not found:
        return f"<p>{escape(w.text('weekly.nothing'))}</p>"
    names = (
        "weekly.made", "weekly.done", "weekly.open", "weekly.late", "weekly.response", "weekly.repair",
        "weekly.repair_in_time", "weekly.helped",
    )  # fmt: skip
    first = "weekly.district" if kind == "district" else "weekly.team"
    heads = [w.text(name) for name in (first, *names)]
    rows = [
        [
            _group_name(report, one, kind, w), w.number(one.made), w.number(one.done),
            w.number(one.open.count), w.number(one.open.overdue), w.lasting(one.response.median_s),
            w.lasting(one.repair.median_s), escape(w.share(one.repair.share)),
            escape(w.share(one.effectiveness.share)),
        ]
        for one in found
    ]  # fmt: skip
    return _table(heads, rows, range(1, 9))


def _group_name(report: WeekReport, one: WorkFigures, kind: str, w: ReportStyle) -> str:
    if one.group is None:
        return escape(w.text("weekly.no_district" if kind == "district" else "weekly.no_team"))
    return f"<bdi>{escape(w.named(report.titles.get(f'{kind} {one.group}'), one.group))}</bdi>"


def _repeated(report: WeekReport, w: ReportStyle) -> str:
    if not report.repeated:
        return f"<p>{escape(w.text('weekly.none_repeated'))}</p>"
    rows = [[_place(one, w), w.number(one.orders)] for one in report.repeated]
    return _table([w.text("weekly.place"), w.text("weekly.orders")], rows, range(1, 2))


def _notes(report: WeekReport, w: ReportStyle) -> str:
    said = [
        w.text("weekly.note_when"),
        w.text("weekly.note_times"),
        w.text("weekly.note_helped", aim=w.share(AIM)),
        w.text("weekly.note_nothing"),
        w.text("weekly.note_made", when=w.moment(report.now)),
    ]
    return "<ul>" + "".join(f'<li class="small">{escape(line)}</li>' for line in said) + "</ul>"
