"""Serial numbers in a list of devices, compared with each other and with what stands in the registry."""

from __future__ import annotations

from dataclasses import replace

from devices.kinds import load
from devices.registry.csv_import import plan_against
from devices.registry.csv_rows import read
from devices.registry.registry import Registry
from tests.unit.rules.sweeps.arrays.town import device, town

KINDS = load()
REGISTERED = [
    replace(device(1), serial="SN-1"),
    replace(device(2), wire_name="OLD-2"),
    replace(device(3), serial="SN-3"),
]
LIST = """name,kind,municipality,serial
N-1,bin,tripoli,SN-8
N-2,bin,tripoli,SN-8
N-3,bin,tripoli,SN-1
N-4,bin,tripoli,SN é
OLD-2,bin,tripoli,
D-1,bin,tripoli,SN-1
D-2,bin,tripoli,SN-9
D-3,bin,tripoli,SN-7
"""


def test_serial_that_stands_twice_is_told_with_its_line() -> None:
    registered = Registry(
        devices={d.id: d for d in REGISTERED},
        by_name={d.name: d for d in REGISTERED},
        municipalities={"tripoli": town()},
    )

    planned = plan_against(registered, {}, read(LIST.encode(), KINDS), update=True)

    assert [row.new.name for row in planned.add] == ["N-1"]
    assert [(d.name, changes) for d, changes in planned.edit] == [("D-2", {"serial": "SN-9"})]
    assert planned.unchanged == 1
    told = [(p.line, p.field, p.message.split(":")[0]) for p in planned.problems]
    assert told == [
        (3, "serial", "'SN-8' stands on line 2 already"),
        (4, "serial", "'SN-1' stands in D-1"),
        (5, "serial", "'SN é' is no serial number"),
        (6, "name", "the hardware of D-2 calls itself so on the wire"),
        (9, "serial", "there stands 'SN-3'"),
    ]
