"""Which gateways may relay a device, and what it hangs on alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from devices.kinds import load
from devices.registry.csv_import import plan_against
from devices.registry.csv_rows import read
from devices.registry.errors import Invalid
from devices.registry.new_device import NewDevice, Parent
from devices.registry.registry import Device, Registry
from devices.registry.relays import above, check_relays, parent_as_relay
from tests.unit.rules.sweeps.arrays.town import device, town

KINDS = load()
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
BIN = NewDevice(name="B-1", kind="bin", municipality="tripoli")
KNOWN = {
    "GW-1": Parent(id=1, kind="gateway", municipality="tripoli"),
    "GW-2": Parent(id=2, kind="gateway", municipality="saida"),
    "GW-3": Parent(id=3, kind="gateway", municipality="tripoli", retired=True),
    "CIR-1": Parent(id=4, kind="circuit", municipality="tripoli"),
}


@pytest.mark.parametrize(
    ("relay", "why"),
    [
        ("B-1", "itself"),
        ("GW-9", "not registered"),
        ("CIR-1", "is a circuit; only a gateway relays"),
        ("GW-2", "stands in saida"),
        ("GW-3", "--reinstate"),
    ],
)
def test_relay_that_cannot_relay_is_refused(relay: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        check_relays(replace(BIN, relays=(relay,)), KNOWN)

    assert refused.value.field == "relays"


def test_gateway_that_retired_beside_others_stays_but_is_not_added() -> None:
    gateway, retired = device(1, "gateway"), replace(device(2, "gateway"), retired_at=LONG_AGO)
    lamp = replace(device(4, "light"), name="L-4", relays=("D-1", "D-2"))
    registered = registry_of(gateway, retired, lamp, replace(device(5, "light"), name="L-5"))
    text = "name,kind,municipality,title,relays\nL-4,light,tripoli,new,D-1 D-2\nL-5,light,tripoli,new,D-2\n"

    planned = plan_against(registered, {}, read(text.encode(), KINDS), update=True)

    assert [(edited.name, changes) for edited, changes in planned.edit] == [("L-4", {"title": "new"})]
    assert [(p.line, p.field) for p in planned.problems] == [(3, "relays")]


def test_gateway_given_as_parent_becomes_a_relay_and_what_feeds_stays() -> None:
    asked = replace(BIN, parent="GW-1")

    assert parent_as_relay(asked, KNOWN, fed_by="CIR-1") == replace(BIN, parent="CIR-1", relays=("GW-1",))
    assert parent_as_relay(replace(BIN, parent="CIR-1"), KNOWN) == replace(BIN, parent="CIR-1")


def registry_of(*devices: Device) -> Registry:
    return Registry(
        devices={d.id: d for d in devices},
        by_name={d.name: d for d in devices},
        municipalities={"tripoli": town()},
    )


def test_device_hangs_alone_on_the_only_gateway_in_use() -> None:
    one, two, circuit = device(1, "gateway"), device(2, "gateway"), device(3, "circuit")
    lamp = replace(device(4, "light", parent=3), relays=("D-1", "D-2"))

    both = above(registry_of(one, two, circuit, lamp), lamp)
    after = above(registry_of(one, replace(two, installed_at=None), circuit, lamp), lamp)

    assert [d.name for d in both] == ["D-3"]
    assert [d.name for d in after] == ["D-3", "D-1"]


def test_list_names_relays_and_gateways_come_first() -> None:
    text = (
        "name,kind,municipality,parent,relays\n"
        "B-1,bin,tripoli,,G-1 G-2\nB-2,bin,tripoli,G-1,\nB-3,bin,tripoli,,B-1\n"
        "G-1,gateway,tripoli,,\nG-2,gateway,tripoli,,\n"
    )

    planned = plan_against(registry_of(), {}, read(text.encode(), KINDS), update=False)

    assert {row.new.name: (row.new.parent, row.new.relays) for row in planned.add} == {
        "G-1": (None, ()),
        "G-2": (None, ()),
        "B-1": (None, ("G-1", "G-2")),
        "B-2": (None, ("G-1",)),
    }
    assert [(p.line, p.field) for p in planned.problems] == [(4, "relays")]
