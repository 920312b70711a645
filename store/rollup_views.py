"""The views v_{kind}_hour and v_{kind}_day: rollups as Grafana and other clients may rely on them.

The same in both editions; built after every migrate, as those of store/views.py. Must not know what a column
of a rollup means: its table says what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from store.readers.seen import MUNICIPALITY_AT
from store.tables import Resolution, Table


def statements(tables: Iterable[tuple[Table, Sequence[str]]]) -> dict[str, str]:
    """Return CREATE OR REPLACE statements by view, for tables with the column names they have now."""
    return {
        f"v_{table.name}": _view(table, names)
        for table, names in tables
        if table.resolution is not Resolution.READING
    }


def _view(table: Table, names: Sequence[str]) -> str:
    # As stored, so that what a kind gains comes last.
    shown = sorted(
        (one for one in table.shown if one.column in names), key=lambda one: names.index(one.column)
    )
    lines = ",\n    ".join(f"{one.expression} AS {one.name}" for one in shown)
    day = "r.day,\n    " if table.resolution is Resolution.DAY else ""
    return f"""\
CREATE OR REPLACE VIEW v_{table.name} WITH (security_barrier) AS
SELECT
    r.device_id,
    d.name AS device,
    m.name AS municipality,
    g.name AS district,
    r.at,
    {day}r.readings,
    r.expected,
    {lines}
FROM {table.name} AS r
INNER JOIN device AS d ON r.device_id = d.id
INNER JOIN readable_municipality AS m
    ON m.id = {MUNICIPALITY_AT.format(instant="r.at")}
LEFT JOIN ground_feature AS g ON d.district_id = g.id AND g.municipality_id = m.id"""  # noqa: S608
