"""What a reader chooses at the top of dashboards, and the marks of alerts on their charts."""

from __future__ import annotations

from dataclasses import replace

from api.grafana.annotating.annotation import OURS
from api.grafana.board import Annotation, Board, Variable
from api.grafana.words import severities
from devices.texts.catalogue import text
from devices.texts.languages import Language

MARKED = ("critical", "major")
"""Severities whose alerts are marked on boards of many devices."""

_MUNICIPALITIES = "SELECT municipality FROM v_municipality ORDER BY municipality"
_DISTRICTS = """\
SELECT DISTINCT district
FROM v_device
WHERE district IS NOT NULL AND ('*' IN ($municipality) OR municipality IN ($municipality))
ORDER BY district"""
_DEVICES = """\
SELECT device
FROM v_device
WHERE
    kind = '$kind' AND life <> 'planned' AND device ILIKE '$__searchFilter'
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))
ORDER BY device
LIMIT 500"""
_ALERTS = """\
SELECT
    opened_at AS time,
    coalesce(resolved_at, now()) AS timeend,
    coalesce(summary ->> '$language', summary ->> 'en') AS text,
    concat_ws(',', severity, rule, device) AS tags
FROM v_alert
WHERE
    $__timeFilter(opened_at) AND severity IN ('critical', 'major')
    AND ('*' IN ($municipality) OR municipality IN ($municipality))
    AND ('*' IN ($district) OR district IN ($district))
ORDER BY opened_at DESC
LIMIT 200"""
_ALERTS_OF_DEVICE = """\
SELECT
    opened_at AS time,
    coalesce(resolved_at, now()) AS timeend,
    coalesce(summary ->> '$language', summary ->> 'en') AS text,
    concat_ws(',', severity, rule) AS tags
FROM v_alert
WHERE $__timeFilter(opened_at) AND device = '$device'
ORDER BY opened_at DESC
LIMIT 200"""


def municipality(language: Language) -> Variable:
    """Return the choice of municipalities."""
    return _variable(language, "municipality", _MUNICIPALITIES)


def district(language: Language) -> Variable:
    """Return the choice of districts of the chosen municipalities; devices without one count in all."""
    return _variable(language, "district", _DISTRICTS)


def device(language: Language) -> Variable:
    """Return the choice of one device of the dashboard's kind; what is typed narrows the list."""
    return _variable(language, "device", _DEVICES, many=False)


def _variable(language: Language, name: str, sql: str, *, many: bool = True) -> Variable:
    return Variable(
        name=name,
        label=text(language, f"grafana.column_{name}"),
        description=text(language, f"grafana.choose_{name}"),
        sql=sql,
        many=many,
    )


def alerts(language: Language) -> Annotation:
    """Return marks of critical and major alerts of what is chosen."""
    return Annotation(name=text(language, "grafana.alerts"), sql=_ALERTS, colour="red")


def alerts_of_device(language: Language) -> Annotation:
    """Return marks of all alerts of the chosen device."""
    return Annotation(name=text(language, "grafana.alerts"), sql=_ALERTS_OF_DEVICE, colour="red")


def by_posted(board: Board) -> Board:
    """Return a board whose marks are annotations that were posted, in place of those that SQL finds.

    Grafana asks for annotations that have all of some tags, so what is chosen above does not narrow them.
    """
    if not board.annotations:
        return board
    if any(variable.name == "device" for variable in board.variables):
        name = board.annotations[0].name
        return replace(board, annotations=(Annotation(name=name, colour="red", tags=(OURS, "$device")),))
    return replace(
        board,
        annotations=tuple(
            Annotation(name=word.text, colour=word.colour or "red", tags=(OURS, severity))
            for severity, word in severities(board.language).items()
            if severity in MARKED
        ),
    )
