"""What devices may be told: a command, checked against what its device understands.

Pure. Sending is for whoever holds a broker connection. Must not know the database, MQTT or HTTP.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from devices.acceptable import is_number
from devices.instants import Now
from devices.kinds import STRUCTURAL
from devices.kinds.commands import known_commands
from devices.kinds.kind import Argument, ArgumentType, Command, Kind
from devices.registry.errors import Conflict, Invalid
from devices.registry.registry import Device
from devices.storable import storable_json
from devices.suggestion import meant
from devices.wire import topics
from devices.wire.adapters.downlink import Downlink

EXPIRES_AFTER_S = 300
"""How long a command may wait for its device, where nobody says otherwise."""
DOWNLINK_EXPIRES_AFTER_S = 86_400
"""The same of one that a network server sends: most devices listen once they have said something."""
LONGEST_S = 7 * 86_400
ARGS_LIMIT = 16_384
"""Bytes of all arguments as JSON: a mission fits, and the wire's 64 KiB are never met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """A command that may be sent: checked against what the device understands.

    downlink: what it is for a device that a network server speaks for; None: the device listens itself.
    """

    id: UUID
    device: Device
    name: str
    args: Mapping[str, Any]
    expires_at: int
    downlink: Downlink | None = None


def new_command(
    device: Device,
    kind: Kind | None,
    name: str,
    args: Mapping[str, Any],
    *,
    id: UUID,  # noqa: A002 - the wire's word
    now: Now,
    expires_after_s: float = EXPIRES_AFTER_S,
) -> NewCommand:
    """Return a command that the device understands.

    Args:
        device: whom to tell.
        kind: its kind; None for one that is structural.
        name: what to do.
        args: by argument name.
        id: random, so that answers find it.
        now: the clock.
        expires_after_s: how long it may wait for the device, in seconds.

    Raises:
        Invalid: the name, an argument or the expiry is not acceptable.
        Conflict: the device is retired.
    """
    if device.retired_at is not None:
        raise Conflict(f"device {device.name!r} is retired; reinstate it first")
    if device.kind in STRUCTURAL and device.kind != topics.GATEWAY:
        raise Invalid("device", f"{device.name!r} is a {device.kind}; it does not listen")
    known = known_commands(kind)
    if name not in known:
        raise Invalid("name", f"a {device.kind} does not understand {name!r}; {meant(name, known)}")
    if not 0 < expires_after_s <= LONGEST_S:
        raise Invalid("expires_after_s", "above 0, and a week (604800) at most")
    check_args(known[name], args)
    return NewCommand(
        id=id, device=device, name=name, args=dict(args), expires_at=now() + int(expires_after_s * 1_000_000)
    )


def patiently(command: NewCommand, now: Now) -> NewCommand:
    """Return a command of which nobody said how long it may wait: longer where a network server sends it."""
    if command.downlink is None:
        return command
    return replace(command, expires_at=now() + DOWNLINK_EXPIRES_AFTER_S * 1_000_000)


def check_args(command: Command, args: Mapping[str, Any]) -> None:
    """Refuse arguments that the command does not take, lacks, or cannot use.

    Raises:
        Invalid: field `args.NAME`.
    """
    declared = {a.name: a for a in command.arguments}
    if len(json.dumps(args)) > ARGS_LIMIT:
        raise Invalid("args", f"{ARGS_LIMIT:,} bytes of JSON at most")
    for name in args:
        if name not in declared:
            takes = ", ".join(declared) or "none"
            raise Invalid(f"args.{name}", f"{command.name} does not take it; it takes: {takes}")
    for argument in command.arguments:
        if argument.name in args:
            check_arg(argument, args[argument.name])
        elif argument.required:
            raise Invalid(f"args.{argument.name}", f"{command.name} needs {_expected(argument)}")


def check_arg(argument: Argument, value: Any, under: str = "args") -> None:
    """Refuse a value that is none of an argument, or lies outside its limits.

    Raises:
        Invalid: field `{under}.NAME`.
    """
    if not _fits(argument, value) or storable_json(value) != value:
        raise Invalid(f"{under}.{argument.name}", f"{value!r} is not {_expected(argument)}")


def _fits(argument: Argument, value: Any) -> bool:
    match argument.type:
        case ArgumentType.NUMBER:
            return _is_number_within(argument, value)
        case ArgumentType.BOOLEAN:
            return isinstance(value, bool)
        case ArgumentType.TEXT:
            return isinstance(value, str)
        case ArgumentType.LIST:
            return isinstance(value, list)


def _is_number_within(argument: Argument, value: Any) -> bool:
    if not is_number(value):
        return False
    low = -math.inf if argument.low is None else argument.low
    high = math.inf if argument.high is None else argument.high
    return low <= value <= high


def _expected(argument: Argument) -> str:
    if argument.type is not ArgumentType.NUMBER:
        return "true or false" if argument.type is ArgumentType.BOOLEAN else f"a {argument.type}"
    bounds = [
        f"from {argument.low:g}" if argument.low is not None else "",
        f"to {argument.high:g}" if argument.high is not None else "",
    ]
    return " ".join(["a number", *filter(None, bounds), argument.unit]).rstrip()
