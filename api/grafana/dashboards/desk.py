"""The alert desk and its deadlines: what is open, how soon people answer, what is done in time."""

from __future__ import annotations

from api.grafana.board import Board, BoardColumn, Chart, Section, Shape
from api.grafana.dashboards import charts, choices
from api.grafana.words import by_severity, columns, console, ranks, severities
from devices.texts.catalogue import text
from devices.texts.languages import Language

_WITHIN = """\
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_OPEN = f"""\
SELECT
    count(*) FILTER (WHERE severity = 'critical') AS critical,
    count(*) FILTER (WHERE severity = 'major') AS major,
    count(*) FILTER (WHERE severity = 'minor') AS minor,
    count(*) FILTER (WHERE severity = 'warning') AS warning
FROM v_alert
WHERE
    state = 'firing'
{_WITHIN}"""  # noqa: S608 - a constant
_UNSEEN = f"""\
SELECT count(*) AS unseen
FROM v_alert
WHERE
    state = 'firing' AND acknowledged_at IS NULL
{_WITHIN}"""  # noqa: S608 - a constant
_ANSWERED = f"""\
SELECT coalesce(
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - detected_at)), 0
) AS seconds
FROM v_alert
WHERE
    $__timeFilter(opened_at) AND acknowledged_at IS NOT NULL
{_WITHIN}"""  # noqa: S608 - a constant
_ENDED = f"""\
SELECT coalesce(
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM resolved_at - opened_at)), 0
) AS seconds
FROM v_alert
WHERE
    $__timeFilter(opened_at) AND resolved_at IS NOT NULL
{_WITHIN}"""  # noqa: S608 - a constant
_RULES = f"""\
SELECT
    rule, count(*) AS alerts, count(*) FILTER (WHERE state = 'firing') AS open,
    max(array_position(ARRAY['warning', 'minor', 'major', 'critical'], severity)) AS severity_rank,
    count(DISTINCT device) AS devices
FROM v_alert
WHERE
    $__timeFilter(opened_at)
{_WITHIN}
GROUP BY rule
ORDER BY alerts DESC, rule
LIMIT 50"""  # noqa: S608 - a constant
_STANDING = f"""\
SELECT
    $__timeGroupAlias(opened_at, '1h'), kind AS metric,
    max(array_position(ARRAY['warning', 'minor', 'major', 'critical'], severity)) AS severity_rank
FROM v_alert
WHERE
    $__timeFilter(opened_at)
{_WITHIN}
GROUP BY 1, 2
ORDER BY 1, 2"""  # noqa: S608 - a constant
_ORDERS = f"""\
SELECT count(*) AS orders
FROM v_work
WHERE
    state NOT IN ('done', 'cancelled')
{_WITHIN}"""  # noqa: S608 - a constant
_LATE = f"""\
SELECT count(*) AS late
FROM v_work
WHERE
    state NOT IN ('done', 'cancelled')
    AND (repair_due_at < now() OR (accepted_at IS NULL AND response_due_at < now()))
{_WITHIN}"""  # noqa: S608 - a constant
_IN_TIME = f"""\
SELECT
    avg((accepted_at <= response_due_at)::integer) AS accepted_in_time,
    avg((ended_at <= repair_due_at)::integer) AS repaired_in_time
FROM v_work
WHERE
    $__timeFilter(created_at) AND state = 'done'
{_WITHIN}"""  # noqa: S608 - a constant
_WORK = f"""\
SELECT
    created_at, severity, device, municipality, district, state AS work_state, assignee, team, repair_due_at,
    order_id
FROM v_work
WHERE
    state NOT IN ('done', 'cancelled')
{_WITHIN}
ORDER BY repair_due_at NULLS LAST, order_id
LIMIT 200"""  # noqa: S608 - a constant


def desk(language: Language) -> Board:
    """Return the board of the alert desk."""
    return Board(
        name="desk",
        language=language,
        title=text(language, "grafana.desk"),
        description=text(language, "grafana.desk_is"),
        variables=(choices.municipality(language), choices.district(language)),
        annotations=(choices.alerts(language),),
        links=(console(language, "/"),),
        span="now-7d",
        sections=(
            Section(title="", charts=_alerts(language)),
            Section(title=text(language, "grafana.work"), charts=_work(language)),
        ),
    )


def _alerts(language: Language) -> tuple[Chart, ...]:
    named = columns(language, "rule", "alerts", "open", "severity_rank", "devices")
    named["severity_rank"] = BoardColumn(name=named["severity_rank"].name, words=ranks(language))
    return (
        charts.stat(
            language,
            "open_alerts",
            _OPEN,
            width=12,
            columns=by_severity(language),
            steps=charts.none_is_good("red"),
        ),
        charts.stat(language, "unseen", _UNSEEN, steps=charts.none_is_good("orange")),
        charts.stat(language, "until_seen", _ANSWERED, unit="s", decimals=0),
        charts.stat(language, "until_ended", _ENDED, unit="s", decimals=0),
        charts.alert_list(language, width=14, height=12),
        Chart(
            shape=Shape.TABLE,
            title=text(language, "grafana.by_rule"),
            description=text(language, "grafana.by_rule_is"),
            sql=_RULES,
            width=10,
            height=12,
            columns=named,
        ),
        Chart(
            shape=Shape.STATUS_HISTORY,
            title=text(language, "grafana.by_kind"),
            description=text(language, "grafana.by_kind_is"),
            sql=_STANDING,
            width=24,
            height=7,
            steps=charts.RANK_STEPS,
            words=ranks(language),
        ),
    )


def _work(language: Language) -> tuple[Chart, ...]:
    shares = columns(language, "accepted_in_time", "repaired_in_time")
    named = columns(
        language, "created_at", "severity", "device", "municipality", "district", "work_state", "assignee",
        "team", "repair_due_at",
    )  # fmt: skip
    named["severity"] = BoardColumn(name=named["severity"].name, words=severities(language), width=90)
    named["device"] = BoardColumn(
        name=named["device"].name, link=console(language, "/work/${__data.fields.order_id}")
    )
    for name in ("created_at", "repair_due_at"):
        named[name] = BoardColumn(name=named[name].name, unit="dateTimeFromNow")
    named["order_id"] = BoardColumn(name="order_id", hidden=True)
    return (
        charts.stat(language, "orders", _ORDERS, width=6),
        charts.stat(language, "late", _LATE, width=6, steps=charts.none_is_good("red")),
        charts.stat(
            language,
            "in_time",
            _IN_TIME,
            width=12,
            unit="percentunit",
            decimals=0,
            columns=shares,
            steps=charts.SHARE_STEPS,
        ),
        Chart(
            shape=Shape.TABLE,
            title=text(language, "grafana.orders_list"),
            description=text(language, "grafana.orders_list_is"),
            sql=_WORK,
            width=24,
            height=10,
            columns=named,
        ),
    )
