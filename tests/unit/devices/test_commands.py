"""Which commands a device understands, and with which arguments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from devices.commands.new_command import NewCommand, new_command
from devices.kinds import load
from devices.kinds.commands import known_commands
from devices.registry.errors import Conflict, Invalid
from devices.registry.registry import Device

KINDS = load()


def make_device(kind: str) -> Device:
    return Device(id=1, name="D-1", kind=kind, municipality="tripoli", municipality_id=1)


def ask(kind: str, name: str, args: dict[str, Any], **more: Any) -> NewCommand:
    return new_command(make_device(kind), KINDS.get(kind), name, args, id=UUID(int=7), now=lambda: 0, **more)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_understands_the_common_commands(kind: str) -> None:
    assert {"reboot", "report_now", "set_interval"} <= known_commands(KINDS[kind]).keys()


def test_mission_with_zones_is_accepted() -> None:
    assert ask("drone", "upload_mission", {"mission": "M1", "zones": []}).name == "upload_mission"


@pytest.mark.parametrize(
    ("kind", "name", "args", "field", "text"),
    [
        ("light", "set_diming", {"pct": 5}, "name", "did you mean 'set_dimming'"),
        ("bin", "set_dimming", {"pct": 5}, "name", "a bin does not understand"),
        ("light", "set_dimming", {}, "args.pct", "needs a number from 0 to 100 %"),
        ("light", "set_dimming", {"pct": 101}, "args.pct", "not a number from 0 to 100"),
        ("light", "set_dimming", {"pct": True}, "args.pct", "not a number"),
        ("light", "set_dimming", {"pct": float("nan")}, "args.pct", "not a number"),
        ("light", "set_dimming", {"pct": 10**400}, "args.pct", "not a number"),
        ("light", "set_dimming", {"pct": 5, "speed": 1}, "args.speed", "it takes: pct"),
        ("drone", "upload_mission", {"mission": "M", "zones": "Z"}, "args.zones", "not a list"),
        ("cabinet", "reboot", {}, "device", "does not listen"),
    ],
)
def test_command_is_refused_with_the_fix(
    kind: str, name: str, args: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(Invalid, match=text) as refused:
        ask(kind, name, args)

    assert refused.value.field == field


def test_command_to_a_retired_device_is_a_conflict() -> None:
    retired = replace(make_device("bin"), retired_at=datetime(2026, 1, 1, tzinfo=UTC), retired_reason="burnt")

    with pytest.raises(Conflict):
        new_command(retired, KINDS["bin"], "reboot", {}, id=UUID(int=7), now=lambda: 0)


def test_command_expiry_is_bounded() -> None:
    with pytest.raises(Invalid, match="a week"):
        ask("bin", "reboot", {}, expires_after_s=8 * 86_400)
