"""Charts that several dashboards have: single numbers, open alerts, a measurement over time."""

from __future__ import annotations

from collections.abc import Mapping

from api.grafana.board import BoardColumn, Chart, ColourStep, Shape
from api.grafana.dashboards import spans
from api.grafana.limits import CALM, COLOURS, steps_of
from api.grafana.units import grafana_unit
from api.grafana.words import columns as columns_of
from api.grafana.words import console, severities
from devices.kinds.kind import Kind, Measurement
from devices.texts.catalogue import text
from devices.texts.languages import Language

RANK_STEPS = (
    ColourStep(value=None, colour=CALM),
    *(
        ColourStep(value=rank, colour=colour)
        for rank, colour in enumerate(reversed(list(COLOURS.values())), 1)
    ),
)
"""Colours of ranks of severities, 1 is a warning."""

SHARE_STEPS = (
    ColourStep(value=None, colour="red"),
    ColourStep(value=0.8, colour="orange"),
    ColourStep(value=0.95, colour="green"),
)
"""Colours of a share that should be nearly all."""
_OPEN_ALERTS = """\
SELECT
    opened_at, severity, coalesce(summary ->> '$language', summary ->> 'en') AS summary,
    device, municipality, district, acknowledged_by, assigned_to, alert_id
FROM v_alert
WHERE
    state = 'firing'
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))
ORDER BY array_position(ARRAY['critical', 'major', 'minor', 'warning'], severity), opened_at
LIMIT 200"""


def none_is_good(colour: str) -> tuple[ColourStep, ...]:
    """Return colours of a number that should be 0."""
    return (ColourStep(value=None, colour=CALM), ColourStep(value=1, colour=colour))


def stat(
    language: Language,
    name: str,
    sql: str,
    *,
    width: int = 4,
    unit: str = "short",
    decimals: int | None = None,
    steps: tuple[ColourStep, ...] = (ColourStep(value=None, colour="blue"),),
    columns: Mapping[str, BoardColumn] | None = None,
) -> Chart:
    """Return one number, or a few, with the texts grafana.<name> and grafana.<name>_is."""
    return Chart(
        shape=Shape.STAT,
        title=text(language, f"grafana.{name}"),
        description=text(language, f"grafana.{name}_is"),
        sql=sql,
        width=width,
        height=4,
        unit=unit,
        decimals=decimals,
        steps=steps,
        columns=columns or {},
    )


def share(language: Language, name: str, sql: str) -> Chart:
    """Return a share that should be nearly all, with texts as `stat`."""
    return stat(language, name, sql, width=6, unit="percentunit", decimals=0, steps=SHARE_STEPS)


def alert_list(
    language: Language, *, width: int, height: int, name: str = "open_alerts_list", sql: str = _OPEN_ALERTS
) -> Chart:
    """Return a table of alerts, of the open ones with the worst first, each leading to the console."""
    named = columns_of(
        language, "opened_at", "severity", "summary", "device", "municipality", "district", "acknowledged_by",
        "assigned_to",
    )  # fmt: skip
    severity = BoardColumn(name=named["severity"].name, words=severities(language), width=90)
    summary = BoardColumn(
        name=named["summary"].name, width=320, link=console(language, "/alerts/${__data.fields.alert_id}")
    )
    return Chart(
        shape=Shape.TABLE,
        title=text(language, f"grafana.{name}"),
        description=text(language, f"grafana.{name}_is"),
        sql=sql,
        width=width,
        height=height,
        columns={
            **named,
            "severity": severity,
            "summary": summary,
            "opened_at": BoardColumn(name=named["opened_at"].name, unit="dateTimeFromNow", width=120),
            "alert_id": BoardColumn(name="alert_id", hidden=True),
        },
    )


def over_time(kind: Kind, measurements: tuple[Measurement, ...]) -> str:
    """Return the query of measurements of all chosen devices over time."""
    return spans.over_time(
        kind,
        measurements,
        of_readings="""('*' IN ($municipality) OR municipality IN ($municipality))
    AND (
        '*' IN ($district) OR device_id IN (SELECT device_id FROM v_device WHERE district IN ($district))
    )""",
        of_hours="""('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))""",
    )


def span_columns(measurements: tuple[Measurement, ...], language: Language) -> dict[str, BoardColumn]:
    """Return how the columns of `over_time` are called."""
    alone = len(measurements) == 1
    return {
        f"{m.name}_{name}": BoardColumn(
            name=text(language, f"grafana.{name}")
            if alone
            else f"{m.label[language]}, {text(language, f'grafana.{name}')}"
        )
        for m in measurements
        for name in ("lowest", "mean", "highest")
    }


def measured(
    kind: Kind, title: str, measurements: tuple[Measurement, ...], language: Language, *, width: int = 8
) -> Chart:
    """Return a chart of measurements of a kind that share an axis."""
    first = measurements[0]
    return Chart(
        shape=Shape.TIME_SERIES,
        title=title,
        description=text(
            language, "grafana.measured_is", what=", ".join(m.label[language] for m in measurements)
        ),
        sql=over_time(kind, measurements),
        width=width,
        height=8,
        unit=grafana_unit(first.unit, language),
        steps=steps_of(kind, first.name),
        columns=span_columns(measurements, language),
    )


def headline(kind: Kind, language: Language) -> Chart:
    """Return the chart of what a kind is about."""
    measurement = kind.measurement(kind.headline)
    return measured(kind, f"{kind.title[language]} – {measurement.label[language]}", (measurement,), language)
