"""How bytes are laid out, as a profile's [[payload]] says it. Must not know the rest of a profile."""

from __future__ import annotations

import re

from devices.suggestion import closest
from devices.wire.adapters.profile.fields import TYPES, Order, PayloadField, size_of
from devices.wire.adapters.profile.layouts import PayloadLayout
from devices.wire.adapters.profile.table import ProfileTable

LAYOUT = (
    *("says", "port", "starts", "size", "order", "fields"),
    *("first", "tag", "channels", "flags_at", "flags", "blocks", "repeat", "entry"),
)
_CHANNEL = ("tag", "repeat", "fields", "name", "type", "order", "scale", "add", "mask", "bit")
_BLOCK = ("bit", "fields")
_FIELD = ("name", "type", "at", "order", "scale", "add", "mask", "bit")
_START = re.compile(r"(?:[0-9A-Fa-f]{2}|\.\.)(?: (?:[0-9A-Fa-f]{2}|\.\.))*")


def read_layout(table: ProfileTable) -> PayloadLayout:
    """Return one layout; what is wrong is told at its place."""
    order = _order(table, "big")
    tag = table.whole("tag", 1, 4) or 0
    if "channels" in table and not tag:
        table.wrong("channels", "channels need tag: how many bytes say which channel follows")
    flags_at = table.whole("flags_at", 0)
    if "blocks" in table and flags_at is None:
        table.wrong("blocks", "blocks need flags_at: where the byte stands that says which blocks follow")
    flags = table.text("flags", "u16")
    if flags not in ("u8", "u16"):
        table.wrong("flags", f"flags is u8 or u16, not {flags!r}")
    repeat = table.text("repeat")
    if ("entry" in table) != bool(repeat):
        table.wrong("", "repeat, the name of the list, and entry, the first fields of each, come together")
    channels = table.tables("channels", _CHANNEL)
    layout = PayloadLayout(
        says=table.text("says"),
        ports=_ports(table),
        starts=_starts(table),
        size=table.whole("size", 0, 242),
        order=order,
        fields=_fields(table, order),
        first=table.whole("first", 0) or 0,
        tag=tag,
        channels=dict(_channel(one, tag, order) for one in channels),
        lists={_tag(one, tag): name for one in channels if (name := one.text("repeat"))},
        flags_at=flags_at,
        flags_size=1 if flags == "u8" else 2,
        blocks={one.whole("bit", 0, 15) or 0: _fields(one, order) for one in table.tables("blocks", _BLOCK)},
        repeat=repeat,
        entry=_fields(table, order, "entry"),
    )
    if repeat and not sum(field.size for field in layout.entry):
        table.wrong("entry", "an entry has at least one field, else nothing says where the next one begins")
    if not (layout.says or layout.fields or layout.channels or layout.blocks or repeat):
        table.wrong(
            "", "a layout has fields, channels, blocks or entries; one without measurements says what it is"
        )
    return layout


def _ports(table: ProfileTable) -> frozenset[int]:
    value = table.members.get("port", [])
    ports = value if isinstance(value, list) else [value]
    if not all(type(port) is int and 0 <= port <= 255 for port in ports):
        table.wrong("port", f"port is a number from 0 to 255, or a list of them, not {value!r}")
        return frozenset()
    return frozenset(ports)


def _starts(table: ProfileTable) -> tuple[int | None, ...]:
    text = table.text("starts")
    if not text:
        return ()
    if not _START.fullmatch(text):
        table.wrong("starts", f'starts is bytes such as "80 00 .. 11", where .. is any, not {text!r}')
        return ()
    return tuple(None if part == ".." else int(part, 16) for part in text.split(" "))


def _channel(table: ProfileTable, size: int, order: Order) -> tuple[bytes, tuple[PayloadField, ...]]:
    """Return a channel's tag and fields; one with a single field has its keys beside the tag."""
    return _tag(table, size), _fields(table, order) if "fields" in table else (_field(table, order),)


def _tag(table: ProfileTable, size: int) -> bytes:
    text = table.text("tag", needed=True)
    try:
        tag = bytes.fromhex(text)
    except ValueError:
        tag = b""
    if len(tag) != size and text:
        table.wrong(
            "tag", f'the tag is {size} bytes in hexadecimal such as "{"03 67"[: 3 * size - 1]}", not {text!r}'
        )
    return tag


def _fields(table: ProfileTable, order: Order, key: str = "fields") -> tuple[PayloadField, ...]:
    return tuple(_field(one, order) for one in table.tables(key, _FIELD))


def _field(table: ProfileTable, order: Order) -> PayloadField:
    type_ = table.text("type", needed=True)
    if type_ and not size_of(type_):
        table.wrong("type", f"there is no type {type_!r}; known: {', '.join(TYPES)}", closest(type_, TYPES))
    for key in ("mask", "bit"):
        if key in table and type_[:1] not in ("u", "i"):
            table.wrong(key, f"{key} is for whole numbers, and this is {type_}")
    return PayloadField(
        name=table.text("name"),
        type=type_ if size_of(type_) else "u8",
        at=table.whole("at"),
        order=_order(table, order),
        scale=table.number("scale", 1.0),
        add=table.number("add", 0.0),
        mask=table.whole("mask", 1),
        bit=table.whole("bit", 0, 63),
    )


def _order(table: ProfileTable, default: Order) -> Order:
    match table.text("order", default):
        case "big":
            return "big"
        case "little":
            return "little"
        case other:
            table.wrong("order", f"order is big or little, not {other!r}", closest(other, ("big", "little")))
            return default
