"""Tables as column lists and their DDL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.edition import Edition
from store.tables import Column, ColumnType, Table, add_column, create
from tests.readings_tables import a_table


def test_table_of_the_plain_edition_is_partitioned_and_has_a_default_partition() -> None:
    table, default = create(a_table(height_m=ColumnType.NUMBER), Edition.PLAIN)

    assert table.endswith("UNIQUE (device_id, observed_at)\n) PARTITION BY RANGE (observed_at)")
    assert "observed_at timestamp with time zone NOT NULL" in table
    assert "height_m double precision,\n" in table
    assert default == "CREATE TABLE kite_reading_other PARTITION OF kite_reading DEFAULT"


def test_table_of_the_timescale_edition_drops_readings_after_the_retention_asked_for() -> None:
    statements = create(replace(a_table(), retention=timedelta(days=30)), Edition.TIMESCALE)

    assert "PARTITION BY" not in statements[0]
    assert statements[-1] == (
        "SELECT add_retention_policy('kite_reading', drop_after => INTERVAL '2592000 seconds')"
    )


def test_added_column_is_nullable() -> None:
    column = Column(name="wind_mps", type=ColumnType.NUMBER)

    assert add_column(a_table(), column) == "ALTER TABLE kite_reading ADD COLUMN wind_mps double precision"


@pytest.mark.parametrize("name", ["", "Height", "1st", "a b", "x;drop", 'a"', "x" * 49])
def test_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no column name"):
        Column(name=name, type=ColumnType.NUMBER)
    with pytest.raises(ValueError, match="no table name"):
        Table(kind=name, columns=())
