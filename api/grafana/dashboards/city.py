"""The city at a glance: what is wrong now and where, and how it has been since yesterday."""

from __future__ import annotations

from collections.abc import Mapping

from api.grafana.board import Board, BoardColumn, Chart, ColourStep, Section, Shape
from api.grafana.dashboards import charts, choices
from api.grafana.words import by_severity, columns, console, ranks
from devices.kinds.kind import Kind
from devices.texts.catalogue import text
from devices.texts.languages import Language

_DEVICES = """\
SELECT count(*) AS devices
FROM v_device
WHERE
    life = 'installed'
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_SILENT = """\
SELECT count(*) AS silent
FROM v_device
WHERE
    life = 'installed' AND received_at + 3 * interval_s * interval '1 second' < now()
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_OPEN = """\
SELECT
    count(*) FILTER (WHERE severity = 'critical') AS critical,
    count(*) FILTER (WHERE severity = 'major') AS major,
    count(*) FILTER (WHERE severity = 'minor') AS minor,
    count(*) FILTER (WHERE severity = 'warning') AS warning
FROM v_alert
WHERE
    state = 'firing'
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_MAP = """\
SELECT
    d.device, d.kind, d.district, d.lat, d.lon, d.observed_at,
    coalesce(max(array_position(ARRAY['warning', 'minor', 'major', 'critical'], a.severity)), 0)
        AS severity_rank,
    count(a.alert_id) AS alerts
FROM v_device AS d
LEFT JOIN v_alert AS a ON a.device = d.device AND a.state = 'firing'
WHERE
    d.life = 'installed' AND d.lat IS NOT NULL
    AND ('*' IN ($municipality) OR d.municipality IN ($municipality))
    AND ('*' IN ($district) OR d.district IN ($district))
GROUP BY d.device, d.kind, d.district, d.lat, d.lon, d.observed_at
ORDER BY severity_rank, d.device
LIMIT 20000"""
_OPENED = """\
SELECT
    $__timeGroupAlias(opened_at, '1h'),
    count(*) FILTER (WHERE severity = 'critical') AS critical,
    count(*) FILTER (WHERE severity = 'major') AS major,
    count(*) FILTER (WHERE severity = 'minor') AS minor,
    count(*) FILTER (WHERE severity = 'warning') AS warning
FROM v_alert
WHERE
    $__timeFilter(opened_at)
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))
GROUP BY 1
ORDER BY 1"""
_BY_DISTRICT = """\
SELECT
    $__timeGroupAlias(opened_at, '1h'),
    coalesce(district, municipality) AS metric,
    max(array_position(ARRAY['warning', 'minor', 'major', 'critical'], severity)) AS severity_rank
FROM v_alert
WHERE
    $__timeFilter(opened_at)
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))
GROUP BY 1, 2
ORDER BY 1, 2"""


def city(kinds: Mapping[str, Kind], language: Language) -> Board:
    """Return the overview of all kinds."""
    return Board(
        name="city",
        language=language,
        title=text(language, "grafana.city"),
        description=text(language, "grafana.city_is"),
        variables=(choices.municipality(language), choices.district(language)),
        annotations=(choices.alerts(language),),
        links=(console(language, "/"),),
        sections=(
            Section(title="", charts=_now(language)),
            Section(title=text(language, "grafana.since"), charts=_since(language)),
            Section(
                title=text(language, "grafana.kinds"),
                charts=tuple(charts.headline(kind, language) for kind in kinds.values()),
            ),
        ),
    )


def _now(language: Language) -> tuple[Chart, ...]:
    return (
        charts.stat(language, "devices", _DEVICES),
        charts.stat(language, "silent", _SILENT, steps=charts.none_is_good("orange")),
        charts.stat(
            language,
            "open_alerts",
            _OPEN,
            width=16,
            columns=by_severity(language),
            steps=charts.none_is_good("red"),
        ),
        Chart(
            shape=Shape.MAP,
            title=text(language, "grafana.map"),
            description=text(language, "grafana.map_is"),
            sql=_MAP,
            width=12,
            height=14,
            steps=charts.RANK_STEPS,
            coloured_by="severity_rank",
            columns={
                **columns(language, "device", "kind", "district", "observed_at", "alerts"),
                "severity_rank": BoardColumn(
                    name=text(language, "grafana.column_severity"),
                    words=ranks(language),
                    link=console(language, "/devices/${__data.fields.device}"),
                ),
            },
        ),
        charts.alert_list(language, width=12, height=14),
    )


def _since(language: Language) -> tuple[Chart, ...]:
    return (
        Chart(
            shape=Shape.TIME_SERIES,
            title=text(language, "grafana.opened"),
            description=text(language, "grafana.opened_is"),
            sql=_OPENED,
            width=12,
            height=8,
            stacked=True,
            decimals=0,
            columns=by_severity(language),
            steps=(ColourStep(value=None, colour="green"),),
        ),
        Chart(
            shape=Shape.STATUS_HISTORY,
            title=text(language, "grafana.by_district"),
            description=text(language, "grafana.by_district_is"),
            sql=_BY_DISTRICT,
            width=12,
            height=8,
            steps=charts.RANK_STEPS,
            words=ranks(language),
        ),
    )
