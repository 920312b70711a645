"""Which kind and profile a network's devices have here: a table in TOML, and the rows of an import by it.

    municipality = "tripoli"
    gateway = "lorawan"

    [[model]]
    name = "Milesight EM310-UDL"
    kind = "bin"
    profile = "milesight-em310-udl"
    attributes = {install_height_mm = 1400}

`name` is what the network calls a model: the name or id of its device profile in ChirpStack, BRAND/MODEL in
The Things Stack; `*` is every other one. Pure: must not know files, networks or the database.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from devices.kinds import Kinds
from devices.nesting import MAX_DEPTH, is_too_deep
from devices.registry.csv_rows import ATTRIBUTE, CsvRow, CsvRows, LineProblem
from devices.registry.new_device import NewDevice, problems
from devices.suggestion import meant
from nabd.networks.network_device import NetworkDevice

EUI = re.compile(r"[0-9A-F]{16}")
OTHERS = "*"


class MappingRefused(Exception):
    """A table is not acceptable; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What devices of one model are here; without a kind they are left out."""

    name: str
    kind: str = ""
    profile: str = ""
    municipality: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTable:
    """The table: models, and what holds for all of them. gateway: relays them, as the bridge does."""

    model: tuple[Model, ...] = ()
    municipality: str = ""
    gateway: str = ""


def parse(text: str, kinds: Kinds, profiles: Collection[str]) -> ModelTable:
    """Read a table.

    Args:
        profiles: the names there are.

    Raises:
        MappingRefused: it is no TOML, or names what does not exist.
    """
    if is_too_deep(text):
        raise MappingRefused(f"nested deeper than {MAX_DEPTH} levels")
    try:
        raw = tomllib.loads(text)
        table = msgspec.convert(raw, ModelTable)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingRefused(str(error)) from error
    _check_keys(raw, ModelTable, "")
    for position, one in enumerate(raw.get("model", []), start=1):
        _check_keys(one, Model, f"model {position}: ")
    seen: set[str] = set()
    for model in table.model:
        where = f"model {model.name!r}: "
        if model.name in seen:
            raise MappingRefused(f"{where}stands twice")
        if model.kind and model.kind not in kinds:
            raise MappingRefused(f"{where}kind {model.kind!r} is not declared; {meant(model.kind, kinds)}")
        if model.profile and model.profile not in profiles:
            raise MappingRefused(f"{where}no profile {model.profile!r}; {meant(model.profile, profiles)}")
        seen.add(model.name)
    return table


def _check_keys(table: Mapping[str, Any], declared: type, where: str) -> None:
    known = [f.name for f in fields(declared)]
    for key in table:
        if key not in known:
            raise MappingRefused(f"{where}unknown key {key!r}; {meant(key, known)}")


def rows(table: ModelTable, found: Sequence[NetworkDevice], kinds: Kinds) -> tuple[CsvRows, list[str]]:
    """Return the rows of an import, each device's line its number in the list; and those left out on purpose.

    A device's tag `municipality` comes before its model's, and that before the table's.
    """
    read, left = CsvRows(), []
    models = {model.name.casefold(): model for model in table.model}
    for line, device in enumerate(found, start=1):
        model = next((models[m.casefold()] for m in device.models if m.casefold() in models), None)
        model = model or models.get(OTHERS)
        if model is None:
            named = device.models[0] if device.models else "no model"
            message = f"{device.eui}: the table does not name {named!r}"
            read.problems.append(LineProblem(line=line, field="model", message=message))
            continue
        if not model.kind:
            left.append(device.eui)
            continue
        row, wrong = _row(line, table, model, device, kinds)
        read.problems.extend(wrong)
        if not wrong:
            read.rows.append(row)
    return read, left


def _row(
    line: int, table: ModelTable, model: Model, device: NetworkDevice, kinds: Kinds
) -> tuple[CsvRow, list[LineProblem]]:
    attributes = dict(model.attributes)
    if model.profile:
        attributes["profile"] = model.profile
    elif device.models:
        attributes["model"] = device.models[0]
    placed = device.lat is not None and device.lon is not None
    new = NewDevice(
        name=device.eui,
        kind=model.kind,
        municipality=device.tags.get("municipality") or model.municipality or table.municipality,
        title=device.title[:200],
        lat=device.lat if placed else None,
        lon=device.lon if placed else None,
        attributes=attributes,
        relays=(table.gateway,) if table.gateway else (),
        serial=device.tags.get("serial"),
    )
    said = {"name", "kind", "municipality", "title", *(ATTRIBUTE + name for name in attributes)}
    said |= {"lat", "lon"} if placed else set()
    said |= {"relays"} if new.relays else set()
    said |= {"serial"} if new.serial is not None else set()
    wrong = [(p.field, p.message) for p in problems(kinds, new)]
    if not EUI.fullmatch(device.eui):
        wrong = [("name", f"{device.eui!r} is no DevEUI: sixteen hexadecimal digits")]
    elif not new.municipality:
        wrong.append(("municipality", f"{device.eui}: neither the table nor a tag `municipality` says which"))
    return (
        CsvRow(line=line, new=new, said=frozenset(said)),
        [LineProblem(line=line, field=field, message=message) for field, message in wrong],
    )
