"""One device of a kind: what it said last, every measurement over time, its states and its alerts."""

from __future__ import annotations

from api.grafana.board import Board, BoardColumn, Chart, ColourStep, Section, Shape
from api.grafana.dashboards import charts, choices, spans
from api.grafana.limits import steps_of
from api.grafana.units import grafana_unit
from api.grafana.words import console, ranks, truths
from devices.kinds.kind import Kind, Measurement, ValueType
from devices.texts.catalogue import text
from devices.texts.languages import Language

_LATEST = """\
SELECT (measurements ->> '$headline')::double precision AS headline
FROM v_device
WHERE device = '$device'"""
_SEEN = """\
SELECT extract(epoch FROM now() - received_at) AS seen
FROM v_device
WHERE device = '$device'"""
_OPEN = """\
SELECT count(*) AS alerts
FROM v_alert
WHERE device = '$device' AND state = 'firing'"""
_ALERTS = """\
SELECT
    opened_at, severity, coalesce(summary ->> '$language', summary ->> 'en') AS summary,
    device, municipality, district, acknowledged_by, assigned_to, alert_id
FROM v_alert
WHERE $__timeFilter(opened_at) AND device = '$device'
ORDER BY opened_at DESC
LIMIT 200"""
_FIRING = """\
SELECT
    seen.at AS time, a.rule AS metric,
    max(array_position(ARRAY['warning', 'minor', 'major', 'critical'], a.severity)) AS severity_rank
FROM v_alert AS a
CROSS JOIN LATERAL generate_series(
    date_trunc('hour', greatest(a.opened_at, $__timeFrom())),
    least(coalesce(a.resolved_at, now()), $__timeTo()),
    interval '1 hour'
) AS seen (at)
WHERE a.device = '$device' AND a.opened_at <= $__timeTo() AND coalesce(a.resolved_at, now()) >= $__timeFrom()
GROUP BY 1, 2
ORDER BY 1, 2"""


def of_device(kind: Kind, language: Language) -> Board:
    """Return the dashboard of one device of a kind, which the reader chooses."""
    return Board(
        name=f"{kind.name}-device",
        language=language,
        title=text(language, "grafana.one_device", kind=kind.title[language]),
        description=text(language, "grafana.one_device_is", kind=kind.title[language]),
        variables=(choices.municipality(language), choices.district(language), choices.device(language)),
        constants={"kind": kind.name, "headline": kind.headline},
        annotations=(choices.alerts_of_device(language),),
        links=(console(language, "/devices/$device"),),
        span="now-7d",
        sections=(
            Section(title="", charts=_now(kind, language)),
            Section(title=text(language, "grafana.measurements"), charts=_numbers(kind, language)),
            Section(title=text(language, "grafana.states_and_alerts"), charts=_states(kind, language)),
        ),
    )


def _now(kind: Kind, language: Language) -> tuple[Chart, ...]:
    measurement = kind.measurement(kind.headline)
    latest = Chart(
        shape=Shape.STAT,
        title=measurement.label[language],
        description=text(language, "grafana.latest_is"),
        sql=_LATEST,
        width=8,
        height=4,
        unit=grafana_unit(measurement.unit, language),
        decimals=1,
        steps=steps_of(kind, measurement.name),
    )
    late = 3 * max(one.every_s for one in kind.reporting)
    steps = (ColourStep(value=None, colour="green"), ColourStep(value=late, colour="orange"))
    return (
        latest,
        charts.stat(language, "seen", _SEEN, width=8, unit="s", decimals=0, steps=steps),
        charts.stat(language, "open_alerts", _OPEN, width=8, steps=charts.none_is_good("red")),
    )


def _numbers(kind: Kind, language: Language) -> tuple[Chart, ...]:
    """Return a chart of each number but the position, which maps show."""
    numbers = [m for m in kind.measurements if m.type is ValueType.NUMBER and m.name not in {"lat", "lon"}]
    return tuple(_number(kind, m, language) for m in numbers)


def _number(kind: Kind, measurement: Measurement, language: Language) -> Chart:
    return Chart(
        shape=Shape.TIME_SERIES,
        title=measurement.label[language],
        description=text(language, "grafana.measured_of_device_is", what=measurement.label[language]),
        sql=spans.over_time(
            kind, (measurement,), of_readings="device = '$device'", of_hours="device = '$device'"
        ),
        width=8,
        height=7,
        unit=grafana_unit(measurement.unit, language),
        steps=steps_of(kind, measurement.name),
        columns=charts.span_columns((measurement,), language),
    )


def _states(kind: Kind, language: Language) -> tuple[Chart, ...]:
    states = [m for m in kind.measurements if m.type is not ValueType.NUMBER]
    found: list[Chart] = []
    if states:
        listed = ", ".join(m.name for m in states)
        found.append(
            Chart(
                shape=Shape.STATE_TIMELINE,
                title=text(language, "grafana.states"),
                description=text(language, "grafana.states_is"),
                sql=f"""\
SELECT observed_at AS time, {listed}
FROM v_{kind.name}
WHERE $__timeFilter(observed_at) AND device = '$device'
ORDER BY observed_at
LIMIT 20000""",  # noqa: S608 - names of declared kinds and measurements
                width=12,
                height=8,
                words=truths(language),
                columns={m.name: BoardColumn(name=m.label[language]) for m in states},
            )
        )
    found += [
        Chart(
            shape=Shape.STATUS_HISTORY,
            title=text(language, "grafana.firing"),
            description=text(language, "grafana.firing_is"),
            sql=_FIRING,
            width=12 if states else 24,
            height=8,
            steps=charts.RANK_STEPS,
            words=ranks(language),
        ),
        charts.alert_list(language, name="alerts_list", width=24, height=9, sql=_ALERTS),
    ]
    return tuple(found)
