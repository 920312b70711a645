"""The views v_{kind}_hour and v_{kind}_day: rollups as Grafana and other clients may rely on them.

The same in both editions; built after every migrate, as those of store/views.py. Must not know what a column
of a rollup means: its table says what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from store.tables import Resolution, Table


def statements(tables: Iterable[tuple[Table, Sequence[str]]]) -> dict[str, str]:
    """Return CREATE OR REPLACE statements by view, for tables with the column names they have now."""
    return {
        f"v_{table.name}": _view(table, names)
        for table, names in tables
        if table.resolution is not Resolution.READING
    }


_STAYED = """\
INNER JOIN readable_municipality AS m ON d.municipality_id = m.id"""
_MOVED = """\
INNER JOIN device_move AS left_it ON d.id = left_it.device_id AND r.at < left_it.moved_at
INNER JOIN readable_municipality AS m ON left_it.municipality_id = m.id"""
_SINCE = "d.moved_at IS NULL OR d.moved_at <= r.at"
_BEFORE = """\
    d.moved_at > r.at
    AND NOT EXISTS (
        SELECT FROM device_move AS sooner
        WHERE sooner.device_id = d.id AND sooner.moved_at > r.at AND sooner.moved_at < left_it.moved_at
    )"""


def _view(table: Table, names: Sequence[str]) -> str:
    # In two parts of joins alone, as MUNICIPALITY_AT says: of an expression the planner does not know what it
    # joins, sorts a year of rows, and keeps parallel workers from them.
    stayed, moved = _rows(table, names, _STAYED, _SINCE), _rows(table, names, _MOVED, f"\n{_BEFORE}")
    return f"CREATE OR REPLACE VIEW v_{table.name} WITH (security_barrier) AS\n{stayed}\nUNION ALL\n{moved}"


def _rows(table: Table, names: Sequence[str], municipality: str, condition: str) -> str:
    # As stored, so that what a kind gains comes last.
    shown = sorted(
        (one for one in table.shown if one.column in names), key=lambda one: names.index(one.column)
    )
    lines = ",\n    ".join(f"{one.expression} AS {one.name}" for one in shown)
    day = "r.day,\n    " if table.resolution is Resolution.DAY else ""
    return f"""\
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
{municipality}
LEFT JOIN ground_feature AS g ON d.district_id = g.id AND g.municipality_id = m.id
WHERE {condition}"""  # noqa: S608
