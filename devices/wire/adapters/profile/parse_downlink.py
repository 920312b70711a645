"""How commands are said, as a profile's [downlinks] has it. Must not know the rest of a profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devices.kinds.commands import known_commands
from devices.kinds.kind import Argument, ArgumentType, Command, Kind
from devices.suggestion import closest, meant
from devices.wire.adapters.downlink import LAST_PORT, MOST_BYTES, NotEncoded
from devices.wire.adapters.profile.downlinks import PLACE, EncodedArgument, ProfileDownlink
from devices.wire.adapters.profile.fields import TYPES, Order, size_of
from devices.wire.adapters.profile.table import ProfileTable
from devices.wire.adapters.profile.units import BadUnit, Linear, converter

_DOWNLINK = ("port", "confirmed", "hex", "arguments", "data", "examples")
_ARGUMENT = ("type", "order", "unit", "scale", "add")
_EXAMPLE = ("args", "hex")
_TYPES = tuple(one for one in TYPES if ":" not in one)
_IN_BYTES = (ArgumentType.NUMBER, ArgumentType.BOOLEAN)


def read_downlinks(
    root: ProfileTable, kinds: Iterable[Kind], *, codec: bool
) -> Mapping[str, ProfileDownlink]:
    """Return how commands are said, by name; `codec`: the profile has one."""
    known: dict[str, Command] = {}
    for kind in kinds:
        known = known_commands(kind) | known
    table = root.table("downlinks", known)
    if table is None:
        return {}
    tables = {name: table.table(name, _DOWNLINK) for name in table.members if name in known}
    return {name: _downlink(one, known[name], codec=codec) for name, one in tables.items() if one is not None}


def _downlink(table: ProfileTable, command: Command, *, codec: bool) -> ProfileDownlink:
    if ("hex" in table) == ("data" in table):
        table.wrong("", "a downlink has either hex, or data for encodeDownlink of the codec")
    if "data" in table and not codec:
        table.wrong("data", "data is for encodeDownlink of a codec, and the profile names no codec")
    if "hex" in table and "port" not in table:
        table.wrong("", "port is missing: on which the device hears it")
    downlink = ProfileDownlink(
        command=command.name,
        port=table.whole("port", 1, LAST_PORT),
        confirmed=table.one("confirmed", bool, True, "true or false"),
        parts=_parts(table, command) if "hex" in table else (),
        data=table.one("data", dict, {}, "a table such as {reboot = 1}") if "data" in table else None,
    )
    _check_said(table, command, downlink)
    _check_examples(table, downlink)
    return downlink


def _parts(table: ProfileTable, command: Command) -> tuple[bytes | EncodedArgument, ...]:
    arguments = {one.name: one for one in command.arguments}
    forms = table.table("arguments", arguments)
    parts: list[bytes | EncodedArgument | None] = []
    for position, part in enumerate(PLACE.split(table.text("hex", needed=True))):
        if position % 2 == 0:
            parts += [_bytes(table, part)] if part.strip() else []
        elif part not in arguments:
            table.wrong("hex", f"{command.name} has no argument {part!r}; {meant(part, arguments)}")
            parts.append(None)
        elif forms is None or part not in forms:
            table.wrong(
                "hex", f"how {part} stands in bytes is missing: arguments = {{{part} = {{type = …}}}}"
            )
            parts.append(None)
        else:
            parts.append(_argument(forms, arguments[part]))
    found = tuple(one for one in parts if one is not None)
    size = sum(len(one) if isinstance(one, bytes) else size_of(one.type) for one in found)
    if size > MOST_BYTES:
        table.wrong("hex", f"{size} bytes: LoRaWAN carries {MOST_BYTES}")
    return found if len(found) == len(parts) else ()


def _bytes(table: ProfileTable, written: str) -> bytes | None:
    try:
        return bytes.fromhex(written)
    except ValueError as error:
        table.wrong("hex", f"hex: {error}")
        return None


def _argument(forms: ProfileTable, argument: Argument) -> EncodedArgument | None:
    table = forms.table(argument.name, _ARGUMENT)
    if table is None:
        return None
    if argument.type not in _IN_BYTES:
        table.wrong("", f"{argument.name} is a {argument.type}: only a codec makes bytes of it")
    type_, order = table.text("type", needed=True), table.text("order", "big")
    if type_ and type_ not in _TYPES:
        said = f"there is no type {type_!r}; known: {', '.join(_TYPES)}"
        table.wrong("type", said, closest(type_, _TYPES))
        return None
    if order not in ("big", "little"):
        table.wrong("order", f"order is big or little, not {order!r}", closest(order, ("big", "little")))
    orders: Mapping[str, Order] = {"big": "big", "little": "little"}
    scale, add = _linear(table, argument)
    return EncodedArgument(
        argument=argument,
        type=type_ or "u8",
        order=orders.get(order, "big"),
        linear=(
            scale * table.number("scale", 1.0),
            add * table.number("scale", 1.0) + table.number("add", 0.0),
        ),
        rounds="scale" in table,
    )


def _linear(table: ProfileTable, argument: Argument) -> Linear:
    unit = table.text("unit")
    try:
        factor, summand = converter(unit, argument.unit) if unit else (1.0, 0.0)
    except BadUnit as error:
        table.wrong("unit", f"{argument.name} is in {argument.unit}: {error}", closest(unit, error.choices))
        return 1.0, 0.0
    return 1 / factor, -summand / factor


def _check_said(table: ProfileTable, command: Command, downlink: ProfileDownlink) -> None:
    """Refuse what drops an argument, or speaks of one that the command has not."""
    said = {part.argument.name for part in downlink.parts if not isinstance(part, bytes)}
    if downlink.data is not None:
        said = set(_places(downlink.data))
        known = {one.name for one in command.arguments}
        for name in sorted(said - known):
            table.wrong("data", f"{command.name} has no argument {name!r}; {meant(name, known)}")
    written = PLACE.findall(str(table.members.get("hex", "")))
    for one in command.arguments:
        if one.required and one.name not in said and one.name not in written:
            key = "data" if downlink.data is not None else "hex"
            table.wrong(key, f"{{{one.name}}} stands nowhere: the device would not hear it")


def _places(value: object) -> Iterator[str]:
    if isinstance(value, str) and (match := PLACE.fullmatch(value)):
        yield match[1]
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _places(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _places(entry)


def _check_examples(table: ProfileTable, downlink: ProfileDownlink) -> None:
    if "examples" in table and downlink.data is not None:
        table.wrong("examples", "examples are of hex: what a codec makes is known when it runs")
    if not downlink.parts:
        return
    for example in table.tables("examples", _EXAMPLE):
        args: dict[str, Any] = example.one("args", dict, {}, "a table such as {interval_s = 600}")
        try:
            wanted, made = bytes.fromhex(example.text("hex", needed=True)), downlink.payload(args)
        except (NotEncoded, ValueError, TypeError) as error:
            example.wrong("hex", str(error))
            continue
        if made != wanted:
            example.wrong("hex", f"gives {made.hex(' ')}, not {wanted.hex(' ')}")
