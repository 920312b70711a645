"""All devices of one kind: how they stand, the furthest ones, and every chart that the kind declares."""

from __future__ import annotations

from api.grafana.board import Board, BoardColumn, Chart, ColourStep, Section, Shape
from api.grafana.dashboards import charts, choices
from api.grafana.limits import steps_of
from api.grafana.units import grafana_unit
from api.grafana.words import columns, console
from devices.kinds.kind import Kind, ValueType
from devices.texts.catalogue import text
from devices.texts.languages import Language

_DEVICES = """\
SELECT count(*) AS devices
FROM v_device
WHERE
    kind = '$kind' AND life = 'installed'
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_SILENT = """\
SELECT count(*) AS silent
FROM v_device
WHERE
    kind = '$kind' AND life = 'installed' AND received_at + 3 * interval_s * interval '1 second' < now()
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_ALERTS = """\
SELECT count(*) AS alerts
FROM v_alert
WHERE
    kind = '$kind' AND state = 'firing'
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_HEADLINE = """\
SELECT avg((measurements ->> '$headline')::double precision) AS mean
FROM v_device
WHERE
    kind = '$kind' AND life = 'installed'
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""
_HIGHEST = """\
SELECT
    device, title, district, (measurements ->> '$headline')::double precision AS headline, observed_at
FROM v_device
WHERE
    kind = '$kind' AND life = 'installed' AND measurements ->> '$headline' IS NOT NULL
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))
ORDER BY headline DESC, device
LIMIT 50"""
_MAP = """\
SELECT
    device, title, district, lat, lon, (measurements ->> '$headline')::double precision AS headline,
    observed_at
FROM v_device
WHERE
    kind = '$kind' AND life = 'installed' AND lat IS NOT NULL
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))
ORDER BY headline NULLS FIRST, device
LIMIT 20000"""


def of_kind(kind: Kind, language: Language) -> Board:
    """Return the dashboard of a kind."""
    return Board(
        name=kind.name,
        language=language,
        title=kind.title[language],
        description=text(language, "grafana.kind_is", kind=kind.title[language]),
        variables=(choices.municipality(language), choices.district(language)),
        constants={"kind": kind.name, "headline": kind.headline},
        annotations=(choices.alerts(language),),
        links=(console(language, "/"),),
        sections=(
            Section(title="", charts=_now(kind, language)),
            Section(title=text(language, "grafana.since"), charts=_declared(kind, language)),
        ),
    )


def _now(kind: Kind, language: Language) -> tuple[Chart, ...]:
    measurement = kind.measurement(kind.headline)
    unit, steps = grafana_unit(measurement.unit, language), steps_of(kind, measurement.name)
    label = measurement.label[language]
    named = columns(language, "device", "title", "district", "observed_at")
    device = BoardColumn(
        name=named["device"].name, link=console(language, "/devices/${__data.fields.device}"), width=140
    )
    observed = BoardColumn(name=named["observed_at"].name, unit="dateTimeFromNow")
    shown = {**named, "device": device, "observed_at": observed, "headline": BoardColumn(name=label)}
    return (
        charts.stat(language, "devices", _DEVICES),
        charts.stat(language, "silent", _SILENT, steps=charts.none_is_good("orange")),
        charts.stat(language, "open_alerts", _ALERTS, steps=charts.none_is_good("red")),
        charts.share(language, "completeness", _completeness(kind)),
        Chart(
            shape=Shape.STAT,
            title=text(language, "grafana.mean_now", what=label),
            description=text(language, "grafana.mean_now_is"),
            sql=_HEADLINE,
            width=6,
            height=4,
            unit=unit,
            decimals=1,
            steps=steps,
        ),
        Chart(
            shape=Shape.MAP,
            title=text(language, "grafana.map"),
            description=text(language, "grafana.map_of_kind_is", what=label),
            sql=_MAP,
            width=12,
            height=12,
            unit="short",
            steps=steps,
            coloured_by="headline",
            columns=shown,
        ),
        Chart(
            shape=Shape.TABLE,
            title=text(language, "grafana.highest_list", what=label),
            description=text(language, "grafana.highest_list_is"),
            sql=_HIGHEST,
            width=12,
            height=12,
            steps=steps or (ColourStep(value=None, colour="green"),),
            columns={**shown, "headline": BoardColumn(name=label, unit=unit)},
        ),
    )


def _completeness(kind: Kind) -> str:
    return f"""\
SELECT least(sum(readings) / nullif(sum(expected), 0), 1)::double precision AS share
FROM v_{kind.name}_hour
WHERE
    $__timeFilter(at) AND at < date_trunc('hour', now())
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))"""  # noqa: S608 - the name of a declared kind


def _declared(kind: Kind, language: Language) -> tuple[Chart, ...]:
    found: list[Chart] = []
    for panel in kind.panels:
        measurements = tuple(kind.measurement(name) for name in panel.measurements)
        if all(m.type is ValueType.NUMBER for m in measurements):
            found.append(charts.measured(kind, panel.title[language], measurements, language))
    return tuple(found)
