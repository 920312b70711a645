"""A profile's TOML text becomes a profile, or all of its mistakes are told with line, column and suggestion.

Must not know files or where the kinds come from. docs/profiles.md says what each key means.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from devices.kinds.kind import NAME, Kind
from devices.nesting import MAX_DEPTH, is_too_deep
from devices.suggestion import closest
from devices.texts.languages import LANGUAGES
from devices.wire.adapters.profile.errors import ProfileError, ProfileRefused
from devices.wire.adapters.profile.message import ENCODINGS, MessagePaths, decoded
from devices.wire.adapters.profile.parse_downlink import read_downlinks
from devices.wire.adapters.profile.parse_layout import LAYOUT, read_layout
from devices.wire.adapters.profile.parse_value import read_value
from devices.wire.adapters.profile.paths import ValuePath, parse_path
from devices.wire.adapters.profile.places import places
from devices.wire.adapters.profile.profile import Example, Profile, ProfileReading
from devices.wire.adapters.profile.table import Mistakes, ProfileTable
from devices.wire.adapters.profile.values import Value
from devices.wire.adapters.uplink import Uplink

MOST_BYTES = 256 * 1024
PROFILE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
EXAMPLE_DEVICE = "A84041000181C061"
"""What the examples of profiles are called, where they do not say."""

_PROFILE = (
    *("profile", "title", "vendor", "model", "documented", "kind", "codec", "ignores"),
    *("message", "payload", "readings", "downlinks", "examples"),
)
_MESSAGE = ("device", "at", "counter", "port", "payload", "encoding", "values", "radio")
_READING = ("kind", "device", "each", "at", "seq", "boot", "values")
_EXAMPLE = ("says", "device", "topic", "port", "counter", "hex", "json", "gives")
_PLACE_OF_TOML = re.compile(r"\(at line (\d+), column (\d+)\)")
_PART = re.compile(r"\{([^{}]*)\}")


def parse(text: str, kinds: Mapping[str, Kind], *, file: str = "") -> Profile:
    """Return the profile of a text.

    Raises:
        ProfileRefused: with every mistake in it.
    """
    raw = _parsed(text, file)
    mistakes = Mistakes(file, places(text))
    root = ProfileTable(raw, (), mistakes, _PROFILE)
    message, codec, readings = _message(root), _codec(root), _readings(root, kinds)
    profile = Profile(
        name=_name(root),
        title=_title(root),
        vendor=root.text("vendor"),
        model=root.text("model"),
        documented=root.text("documented"),
        codec=codec,
        message=message,
        layouts=tuple(read_layout(table) for table in root.tables("payload", LAYOUT)),
        readings=readings,
        downlinks=read_downlinks(root, [one.kind for one in readings], codec=bool(codec)),
        ignores=root.paths("ignores"),
        examples=tuple(_example(table, message) for table in root.tables("examples", _EXAMPLE)),
        source=text,
    )
    if mistakes.errors:
        raise ProfileRefused(sorted(mistakes.errors, key=lambda e: (e.line, e.column)))
    return profile


def _parsed(text: str, file: str) -> dict[str, Any]:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise ProfileRefused([ProfileError(f"{size} bytes, at most {MOST_BYTES} are read", file=file)])
    if is_too_deep(text):
        raise ProfileRefused([ProfileError(f"nested deeper than {MAX_DEPTH} levels", file=file)])
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        match = _PLACE_OF_TOML.search(str(error))
        line, column = (int(match[1]), int(match[2])) if match else (text.count("\n") + 1, 1)
        said = _PLACE_OF_TOML.sub("", str(error)).strip()
        raise ProfileRefused(
            [ProfileError(f"no TOML: {said}", file=file, line=line, column=column)]
        ) from None


def _name(root: ProfileTable) -> str:
    name = root.text("profile", needed=True)
    if name and not PROFILE_NAME.fullmatch(name):
        root.wrong("profile", f"the name of a profile is a-z, 0-9 and -, at most 63, not {name!r}")
    return name


def _title(root: ProfileTable) -> dict[str, str]:
    """Return the title by language; a text alone is one for all of them."""
    if not isinstance(root.members.get("title"), dict):
        return {"en": root.text("title", needed=True)}
    table = root.table("title", LANGUAGES)
    assert table is not None
    return {language: table.text(language, needed=True) for language in LANGUAGES}


def _codec(root: ProfileTable) -> str:
    codec = root.text("codec")
    if codec and ("/" in codec or "\\" in codec or not codec.endswith(".js")):
        root.wrong("codec", f"codec is the name of a .js file beside the profile, not {codec!r}")
    if codec and "payload" in root:
        root.wrong("codec", "a profile has a codec or layouts under [[payload]], not both")
    return codec


def _message(root: ProfileTable) -> MessagePaths:
    table = root.table("message", _MESSAGE)
    if table is None:
        return MessagePaths()
    encoding = table.text("encoding", "hex")
    if encoding not in ENCODINGS:
        table.wrong("encoding", f"encoding is {' or '.join(ENCODINGS)}", closest(encoding, ENCODINGS))
    radio = table.table("radio", table.members.get("radio", {}) or ())
    names = {} if radio is None else {name: path for name in radio.members if (path := radio.path(name))}
    return MessagePaths(
        device=table.path("device"),
        at=table.path("at"),
        counter=table.path("counter"),
        port=table.path("port"),
        payload=table.path("payload"),
        encoding=encoding,
        values=table.path("values"),
        radio=names,
    )


def _readings(root: ProfileTable, kinds: Mapping[str, Kind]) -> tuple[ProfileReading, ...]:
    tables = root.tables("readings", _READING)
    if not tables:
        root.wrong(
            "readings", "there is no [[readings]]: say which measurements there are, and where they stand"
        )
    default = _kind(root, kinds) if "kind" in root else None
    found = []
    for table in tables:
        kind = _kind(table, kinds) if "kind" in table else default
        if kind is not None:
            found.append(_reading(table, kind))
        elif "kind" not in table and "kind" not in root:
            table.wrong("", f"kind is missing; known: {', '.join(sorted(kinds))}")
    return tuple(found)


def _kind(table: ProfileTable, kinds: Mapping[str, Kind]) -> Kind | None:
    name = table.text("kind")
    if name not in kinds:
        known = ", ".join(sorted(kinds))
        table.wrong("kind", f"there is no kind {name!r}; known: {known}", closest(name, kinds))
    return kinds.get(name)


def _reading(table: ProfileTable, kind: Kind) -> ProfileReading:
    return ProfileReading(
        kind=kind,
        device=_device(table),
        values=_values(table, kind),
        each=table.path("each"),
        at=table.path("at"),
        seq=table.path("seq"),
        boot=table.path("boot"),
    )


def _device(table: ProfileTable) -> tuple[str | ValuePath, ...]:
    """Return the parts of a device's name: texts, and paths in braces."""
    written = table.text("device", "{$device}")
    parts: list[str | ValuePath] = []
    for position, part in enumerate(_PART.split(written)):
        if position % 2 == 0:
            parts += [part] if part else []
            continue
        try:
            parts.append(parse_path(part))
        except ValueError as error:
            table.wrong("device", f"device: {error}")
    return tuple(parts)


def _values(table: ProfileTable, kind: Kind) -> tuple[Value, ...]:
    names = {m.name for m in kind.measurements}
    # Names that are unknown are told here, with the kind.
    values = table.table("values", table.members.get("values", {}) or ())
    if values is None or not values.members:
        table.wrong("values", "there are no [readings.values]: say where each measurement stands")
        return ()
    found = []
    for name in values.members:
        if name not in names:
            known = ", ".join(sorted(names))
            why = (
                "not a name of a measurement"
                if not NAME.fullmatch(name)
                else f"no measurement of a {kind.name}"
            )
            values.wrong(name, f"{name!r} is {why}; known: {known}", closest(name, names))
        elif (value := read_value(values, name, kind)) is not None:
            found.append(value)
    return tuple(found)


def _example(table: ProfileTable, message: MessagePaths) -> Example:
    says = table.text("says", needed=True)
    gives = table.members.get("gives", [])
    if not isinstance(gives, list) or not all(isinstance(entry, dict) for entry in gives):
        table.wrong("gives", "gives is a list of readings such as [{fill_pct = 62.5}], [] for none")
        gives = []
    return Example(says=says, uplink=_uplink(table, message), gives=tuple(gives))


def _uplink(table: ProfileTable, message: MessagePaths) -> Uplink:
    device, topic = table.text("device", EXAMPLE_DEVICE), table.text("topic")
    port, counter = table.whole("port", 0, 255), table.whole("counter", 0)
    if ("hex" in table) == ("json" in table):
        table.wrong("", "an example has either hex or json")
    try:
        if "json" in table:
            return message.uplink(table.text("json").encode(), topic, device)
        payload = decoded(table.text("hex"), "hex")
    except ValueError as error:
        table.wrong("json" if "json" in table else "hex", str(error))
        payload = b""
    return Uplink(device=device, raw=payload, payload=payload, port=port, counter=counter)
