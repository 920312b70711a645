"""Topics name hardware; readings are its place's, and what was replaced is refused with the reason."""

from __future__ import annotations

from dataclasses import replace

from devices.kinds import load
from devices.registry.registry import Device, Municipality, Registry
from devices.wire import Reason
from ingest.decide.clocks import ClockOffset, Offsets
from ingest.decide.directory import REPLACED, Directory

KINDS = load()
TRIPOLI = Municipality(
    id=1, name="tripoli", title={}, time_zone="Asia/Beirut", locale="ar-LB", weekend=(6, 7), lat=None,
    lon=None, register_unknown=True,
)  # fmt: skip


def device(number: int, name: str, kind: str = "bin", **more: object) -> Device:
    return Device(id=number, name=name, kind=kind, municipality="tripoli", municipality_id=1, **more)  # type: ignore[arg-type]


def directory(*devices: Device) -> Directory:
    registry = Registry(
        devices={d.id: d for d in devices},
        by_name={d.name: d for d in devices},
        municipalities={"tripoli": TRIPOLI},
        removed={"B-1": "B-1 at 2026-03-01T08:00:00Z"},
    )
    return Directory(registry, KINDS)


B1 = device(1, "B-1", wire_name="NEW-7", replaced=1, relays=("GW-1",))
GATEWAY = device(2, "GW-1", "gateway", wire_name="GW-9", replaced=1)


def test_topic_of_the_new_hardware_leads_to_its_place() -> None:
    source = directory(B1, GATEWAY).source("nabd/v1/tripoli/bin/NEW-7/telemetry")

    assert (source.device_id, source.name, source.plain, source.refusal) == (1, "B-1", True, None)


def test_replaced_hardware_is_refused_and_registers_nothing() -> None:
    source = directory(B1, GATEWAY).source("nabd/v1/tripoli/bin/B-1/telemetry")

    assert (source.refusal, source.unregistered) == (Reason.UNKNOWN_DEVICE, False)
    assert source.detail == f"{REPLACED}it was taken from B-1 at 2026-03-01T08:00:00Z"


def test_gateway_relays_by_names_on_the_wire() -> None:
    known = directory(B1, GATEWAY)
    gateway = known.source("nabd/v1/tripoli/gateway/GW-9/telemetry")

    assert known.relayed(gateway, "bin", "NEW-7").device_id == 1
    assert known.relayed(gateway, "bin", "B-1").refusal is Reason.UNKNOWN_DEVICE
    assert known.wire_of("B-1") == "NEW-7"


def test_clock_of_replaced_hardware_is_forgotten_whatever_its_name() -> None:
    before = directory(device(1, "B-1"), GATEWAY)
    offsets = Offsets()
    for number in (1, 2):
        offsets.add(number, ClockOffset(first=0, last=100, ahead=10))

    changed = directory(replace(B1, wire_name="B-1"), GATEWAY).replaced_since(before)
    for number in changed:
        offsets.forget(number)

    assert changed == [1]
    assert (offsets.covering(1, 50), offsets.covering(2, 50)) == (
        None,
        ClockOffset(first=0, last=100, ahead=10),
    )
