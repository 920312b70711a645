"""For those who decide and do not operate: whether the city gets better, month by month and town by town."""

from __future__ import annotations

from api.grafana.board import Board, BoardColumn, Chart, Section, Shape
from api.grafana.dashboards import charts, choices
from api.grafana.words import by_severity, columns
from devices.texts.catalogue import text
from devices.texts.languages import Language

_WITHIN = "AND ('*' IN ($municipality) OR municipality IN ($municipality))"
_REPORTING = f"""\
SELECT avg((received_at > now() - interval '1 day')::integer) AS share
FROM v_device
WHERE life = 'installed' {_WITHIN}"""  # noqa: S608 - a constant
_ALERTS = f"""\
SELECT count(*) AS alerts
FROM v_alert
WHERE $__timeFilter(opened_at) {_WITHIN}"""  # noqa: S608 - a constant
_MENDED = f"""\
SELECT count(*) AS orders
FROM v_work
WHERE $__timeFilter(ended_at) AND state = 'done' {_WITHIN}"""  # noqa: S608 - a constant
_IN_TIME = f"""\
SELECT coalesce(avg((ended_at <= repair_due_at)::integer), 1) AS share
FROM v_work
WHERE $__timeFilter(created_at) AND state = 'done' {_WITHIN}"""  # noqa: S608 - a constant
_BY_WEEK = f"""\
SELECT
    $__timeGroupAlias(opened_at, '7d'),
    count(*) FILTER (WHERE severity = 'critical') AS critical,
    count(*) FILTER (WHERE severity = 'major') AS major,
    count(*) FILTER (WHERE severity = 'minor') AS minor,
    count(*) FILTER (WHERE severity = 'warning') AS warning
FROM v_alert
WHERE $__timeFilter(opened_at) {_WITHIN}
GROUP BY 1
ORDER BY 1"""  # noqa: S608 - a constant
_REPAIRED = f"""\
SELECT
    $__timeGroupAlias(created_at, '7d'), municipality AS metric,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - created_at) / 3600) AS hours
FROM v_work
WHERE $__timeFilter(created_at) AND state = 'done' {_WITHIN}
GROUP BY 1, 2
ORDER BY 1, 2"""  # noqa: S608 - a constant
_TOWNS = """\
SELECT
    m.municipality,
    coalesce(m.title ->> '$language', m.municipality) AS title,
    (
        SELECT count(*) FROM v_device AS d WHERE d.municipality = m.municipality AND d.life = 'installed'
    ) AS devices,
    (
        SELECT count(*) FROM v_alert AS a WHERE a.municipality = m.municipality AND $__timeFilter(a.opened_at)
    ) AS alerts,
    (
        SELECT count(*) FROM v_alert AS a WHERE a.municipality = m.municipality AND a.state = 'firing'
    ) AS open,
    (
        SELECT avg((w.ended_at <= w.repair_due_at)::integer)
        FROM v_work AS w
        WHERE w.municipality = m.municipality AND w.state = 'done' AND $__timeFilter(w.created_at)
    ) AS repaired_in_time
FROM v_municipality AS m
WHERE '*' IN ($municipality) OR m.municipality IN ($municipality)
ORDER BY m.municipality"""


def council(language: Language) -> Board:
    """Return the board of the council."""
    return Board(
        name="council",
        language=language,
        title=text(language, "grafana.council"),
        description=text(language, "grafana.council_is"),
        variables=(choices.municipality(language),),
        span="now-90d",
        refresh="15m",
        sections=(
            Section(title="", charts=_figures(language)),
            Section(title=text(language, "grafana.since"), charts=_weeks(language)),
        ),
    )


def _figures(language: Language) -> tuple[Chart, ...]:
    return (
        charts.share(language, "reporting", _REPORTING),
        charts.stat(language, "alerts_in_span", _ALERTS, width=6),
        charts.stat(language, "mended", _MENDED, width=6),
        charts.share(language, "repaired", _IN_TIME),
    )


def _weeks(language: Language) -> tuple[Chart, ...]:
    named = columns(language, "municipality", "title", "devices", "alerts", "open", "repaired_in_time")
    named["repaired_in_time"] = BoardColumn(name=named["repaired_in_time"].name, unit="percentunit")
    return (
        Chart(
            shape=Shape.TIME_SERIES,
            title=text(language, "grafana.by_week"),
            description=text(language, "grafana.by_week_is"),
            sql=_BY_WEEK,
            width=12,
            height=9,
            decimals=0,
            stacked=True,
            columns=by_severity(language),
        ),
        Chart(
            shape=Shape.TIME_SERIES,
            title=text(language, "grafana.hours_to_repair"),
            description=text(language, "grafana.hours_to_repair_is"),
            sql=_REPAIRED,
            width=12,
            height=9,
            unit="h",
            decimals=1,
        ),
        Chart(
            shape=Shape.TABLE,
            title=text(language, "grafana.towns"),
            description=text(language, "grafana.towns_is"),
            sql=_TOWNS,
            width=24,
            height=8,
            columns=named,
        ),
    )
