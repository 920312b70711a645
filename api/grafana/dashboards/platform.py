"""The platform itself: whether it takes what devices say, what it refuses and why, who is told."""

from __future__ import annotations

from api.grafana.board import Board, BoardColumn, Chart, ColourStep, Section, Shape
from api.grafana.dashboards import charts, choices
from api.grafana.words import columns
from devices.texts.catalogue import text
from devices.texts.languages import Language

_ALIVE = "SELECT coalesce(max(extract(epoch FROM now() - alive_at)), 0) AS seconds FROM v_shard"
# Every day that the span touches: its own midnight may lie before the span.
_DAYS = "WHERE day BETWEEN date_trunc('day', $__timeFrom()::timestamptz, 'UTC') AND $__timeTo()"
_TODAY = f"""\
SELECT coalesce(sum(stored), 0) AS stored, coalesce(sum(merged), 0) AS merged,
    coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(rejected), 0) AS rejected
FROM v_ledger
{_DAYS}"""  # noqa: S608 - a constant
_LEDGER = f"""\
SELECT day AS time, sum(stored) AS stored, sum(merged) AS merged, sum(duplicate) AS duplicate,
    sum(rejected) AS rejected
FROM v_ledger
{_DAYS}
GROUP BY day
ORDER BY day"""  # noqa: S608 - a constant
_REASONS = """\
SELECT $__timeGroupAlias(received_at, '1h'), reason AS metric, count(*) AS rejected
FROM v_rejection
WHERE $__timeFilter(received_at) AND ('*' IN ($municipality) OR municipality IN ($municipality))
GROUP BY 1, 2
ORDER BY 1, 2"""
_REJECTED = """\
SELECT device, municipality, reason, count(*) AS rejected, max(received_at) AS received_at
FROM v_rejection
WHERE $__timeFilter(received_at) AND ('*' IN ($municipality) OR municipality IN ($municipality))
GROUP BY device, municipality, reason
ORDER BY rejected DESC, device
LIMIT 100"""
_TOLD = """\
SELECT $__timeGroupAlias(created_at, '1h'), channel || ' ' || state AS metric, count(*) AS messages
FROM v_delivery
WHERE $__timeFilter(created_at)
GROUP BY 1, 2
ORDER BY 1, 2"""
_SHARDS = """\
SELECT shard, alive_at, caught_up_at, batch
FROM v_shard
ORDER BY shard"""


def platform(language: Language) -> Board:
    """Return the board of the platform's health; what belongs to no town is for those who read all."""
    return Board(
        name="platform",
        language=language,
        title=text(language, "grafana.platform"),
        description=text(language, "grafana.platform_is"),
        variables=(choices.municipality(language),),
        span="now-7d",
        sections=(Section(title="", charts=_charts(language)),),
    )


def _charts(language: Language) -> tuple[Chart, ...]:
    outcomes = columns(language, "stored", "merged", "duplicate", "rejected")
    rejected = columns(language, "device", "municipality", "reason", "rejected", "received_at")
    shards = columns(language, "shard", "alive_at", "caught_up_at", "batch")
    for name, named in (("received_at", rejected), ("alive_at", shards), ("caught_up_at", shards)):
        named[name] = BoardColumn(name=named[name].name, unit="dateTimeFromNow")
    late = (ColourStep(value=None, colour="green"), ColourStep(value=30, colour="red"))

    def chart(name: str, shape: Shape, sql: str, width: int, **more: object) -> Chart:
        return Chart(
            shape=shape,
            title=text(language, f"grafana.{name}"),
            description=text(language, f"grafana.{name}_is"),
            sql=sql,
            width=width,
            height=8,
            **more,  # type: ignore[arg-type]
        )

    return (
        charts.stat(language, "ingest_alive", _ALIVE, width=6, unit="s", decimals=0, steps=late),
        charts.stat(language, "outcomes", _TODAY, width=18, columns=outcomes),
        chart("ledger", Shape.TIME_SERIES, _LEDGER, 12, stacked=True, columns=outcomes),
        chart("reasons", Shape.TIME_SERIES, _REASONS, 12, stacked=True),
        chart("rejected_list", Shape.TABLE, _REJECTED, 12, columns=rejected),
        chart("told", Shape.TIME_SERIES, _TOLD, 12, stacked=True),
        chart("shards", Shape.TABLE, _SHARDS, 24, columns=shards),
    )
