"""What readings/tables.py makes of a kind."""

import pytest

from devices.kinds import load
from devices.kinds.kind import Kind
from readings.tables import table_of
from store.tables import ColumnType


@pytest.mark.parametrize("kind", load().values(), ids=lambda kind: str(kind.name))
def test_table_has_every_measurement_between_the_fixed_columns(kind: Kind) -> None:
    names = [column.name for column in table_of(kind).columns]

    assert names[:6] == ["device_id", "observed_at", "received_at", "quality", "boot", "seq"]
    assert names[6:-1] == [m.name for m in kind.measurements]
    assert names[-1] == "extra"


def test_column_types_follow_the_declared_value_types() -> None:
    drone = table_of(load()["drone"])

    types = {name: column.type for name in ("battery_pct", "mission") if (column := drone.column(name))}

    assert types == {"battery_pct": ColumnType.NUMBER, "mission": ColumnType.TEXT}
    assert table_of(load()["bin"]).column("lid_open") is not None
    assert all(not column.required for column in drone.columns[4:])
