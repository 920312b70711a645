"""Views of readings put measurements in the order their tables have."""

from store.tables import ColumnType
from store.views import statements
from tests.readings_tables import KEY, a_table


def test_view_puts_a_column_added_later_last() -> None:
    table = a_table(wind_mps=ColumnType.NUMBER, height_m=ColumnType.NUMBER)
    stored = [*(c.name for c in KEY), "height_m", "extra", "wind_mps"]

    sql = statements([(table, stored)])["v_kite"]

    assert sql.index("r.extra") < sql.index("r.height_m") < sql.index("r.wind_mps")


def test_view_leaves_out_a_column_no_longer_declared() -> None:
    sql = statements([(a_table(), [*(c.name for c in KEY), "height_m", "extra"])])["v_kite"]

    assert "height_m" not in sql
