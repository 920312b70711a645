"""A list of devices as a spreadsheet saves it, read into rows and problems, each with its line.

UTF-8 with or without a byte order mark; `,`, `;` or tab between cells, or what a first line `sep=;` says; a
header with the columns name, kind, municipality, parent, title, title_LANGUAGE, lat, lon, installed_at,
relays, serial, district (whatever their case) and attr.NAME, in any order; between relays a space or `;`.
Empty columns at the end are left out. Pure: must not know the database.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.kinds import Kinds
from devices.kinds.kind import Attribute, AttributeType
from devices.nesting import MAX_DEPTH, is_too_deep
from devices.registry.errors import Invalid
from devices.registry.life import read_installed_at
from devices.registry.new_device import NewDevice, problems
from devices.suggestion import meant
from devices.texts.languages import LANGUAGES

TITLES = tuple(f"title_{language}" for language in LANGUAGES)
COLUMNS = (
    "name",
    "kind",
    "municipality",
    "parent",
    "title",
    *TITLES,
    "lat",
    "lon",
    "installed_at",
    "relays",
    "serial",
    "district",
)
REQUIRED = ("name", "kind", "municipality")
ATTRIBUTE = "attr."
DELIMITERS = (",", ";", "\t")
RELAYS = re.compile(r"[^\s;,]+")
SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
CELL_LIMIT = 1_000_000
MOST_DIGITS = 15
"""Longer numbers are not exact in a spreadsheet or in JavaScript."""
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProblem:
    """Why a line is not accepted; `line` counts from 1, the header's."""

    line: int
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRow:
    """One device of the list; `said` names the columns whose cell was not empty."""

    line: int
    new: NewDevice
    said: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRows:
    """A list as read: the rows without a mistake of their own, and what is wrong with the others."""

    rows: list[CsvRow] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)


def read(content: bytes, kinds: Kinds) -> CsvRows:
    """Read a file's content; a problem with the file as a whole is on line 1."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return CsvRows(
            problems=[LineProblem(line=line, field="", message="not UTF-8: save the file as CSV UTF-8")]
        )
    separator = SEPARATOR.match(text)
    body = text[separator.end() :] if separator else text
    delimiter = separator[1] if separator else max(DELIMITERS, key=body.partition("\n")[0].count)
    csv.field_size_limit(CELL_LIMIT)
    lines = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    try:
        return _read(lines, kinds, 1 if separator else 0)
    except csv.Error as error:
        line = lines.line_num + (1 if separator else 0)
        return CsvRows(problems=[LineProblem(line=line, field="", message=f"not CSV: {error}")])


def _read(lines: Any, kinds: Kinds, skipped: int) -> CsvRows:
    """Read a header and rows; `skipped` is how many lines stand before the header."""
    columns = [_column(cell.strip()) for cell in next(lines, [])]
    while columns and not columns[-1]:
        del columns[-1]
    result = CsvRows(
        problems=[LineProblem(line=1 + skipped, field=p.field, message=p.message) for p in _header(columns)]
    )
    if result.problems:
        return result
    before = lines.line_num + skipped
    for cells in lines:
        line, before = before + 1, lines.line_num + skipped
        if not any(cell.strip() for cell in cells):
            continue
        while len(cells) > len(columns) and not cells[-1].strip():
            del cells[-1]
        if len(cells) != len(columns):
            message = f"{len(cells)} cells, but the header has {len(columns)}"
            result.problems.append(LineProblem(line=line, field="", message=message))
            continue
        said = {c: cell.strip() for c, cell in zip(columns, cells, strict=True) if cell.strip()}
        row, wrong = _row(line, said, kinds)
        result.problems.extend(LineProblem(line=line, field=p.field, message=p.message) for p in wrong)
        if not wrong:
            result.rows.append(row)
    return result


def _column(written: str) -> str:
    """Return a column's name as it is known: spreadsheets like capitals."""
    lower = written.lower()
    if lower in COLUMNS:
        return lower
    return ATTRIBUTE + written[len(ATTRIBUTE) :] if lower.startswith(ATTRIBUTE) else written


def _header(columns: list[str]) -> list[Invalid]:
    wrong = [Invalid(name, "column is missing") for name in REQUIRED if name not in columns]
    for i, name in enumerate(columns):
        if name in columns[:i]:
            wrong.append(Invalid(name, "column stands twice"))
        elif name not in COLUMNS and not (name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE)):
            wrong.append(Invalid(name, f"unknown column; {meant(name, COLUMNS)}, attr.NAME"))
    return wrong


def _row(line: int, said: Mapping[str, str], kinds: Kinds) -> tuple[CsvRow, list[Invalid]]:
    wrong = [Invalid(name, "is empty") for name in REQUIRED if name not in said]
    kind = kinds.get(said.get("kind", ""))
    declared = {a.name: a for a in kind.attributes} if kind else {}
    position: dict[str, float] = {}
    attributes: dict[str, Any] = {}
    installed_at: datetime | None = None
    for column, cell in said.items():
        try:
            if column in ("lat", "lon"):
                position[column] = _number(column, cell)
            elif column == "installed_at":
                installed_at = read_installed_at(cell)
            elif column.startswith(ATTRIBUTE):
                name = column.removeprefix(ATTRIBUTE)
                attributes[name] = attribute_value(name, cell, declared.get(name))
        except Invalid as problem:
            wrong.append(problem)
    new = NewDevice(
        name=said.get("name", ""),
        kind=said.get("kind", ""),
        municipality=said.get("municipality", ""),
        parent=said.get("parent"),
        title=said.get("title", ""),
        titles={column.removeprefix("title_"): said[column] for column in TITLES if column in said},
        lat=position.get("lat"),
        lon=position.get("lon"),
        attributes=attributes,
        installed_at=installed_at,
        relays=tuple(dict.fromkeys(RELAYS.findall(said.get("relays", "")))),
        serial=said.get("serial"),
        planned="installed_at" in said and installed_at is None,
        district=said.get("district"),
    )
    known = {problem.field for problem in wrong}
    if not known & {"lat", "lon"}:
        wrong += [_of_column(p) for p in problems(kinds, new) if p.field not in known]
    return CsvRow(line=line, new=new, said=frozenset(said)), wrong


def _of_column(problem: Invalid) -> Invalid:
    """Return what is wrong with a title under the name that its column has."""
    column = problem.field.replace("titles.", "title_")
    return Invalid(column, problem.message) if column in TITLES else problem


def _number(field: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        hint = "; write the decimals after a point" if "," in cell else ""
        raise Invalid(field, f"{cell!r} is not a number{hint}") from None


def attribute_value(name: str, text: str, declared: Attribute | None) -> Any:
    """Return an attribute written as text in the type its kind declares.

    Undeclared ones become a JSON boolean, list or object where they are one, and a number where it is written
    back as it stands here: 90, 34.5; not a serial number such as 12E5 or 007. Everything else is text.

    Raises:
        Invalid: the text cannot be of that type.
    """
    field = f"attributes.{name}"
    match declared.type if declared else None:
        case AttributeType.NUMBER:
            return _number(field, text)
        case AttributeType.TEXT | AttributeType.CURVE:
            return text
        case AttributeType.BOOLEAN:
            if text.lower() not in WORDS:
                raise Invalid(field, f"{text!r} is neither true nor false")
            return WORDS[text.lower()]
        case AttributeType.POLYGON | None:
            return _json_or_text(text)


def _json_or_text(text: str) -> Any:
    if is_too_deep(text):
        raise Invalid("attributes", f"a cell nests deeper than {MAX_DEPTH} levels")
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if len(text) <= MOST_DIGITS and repr(value) == text else text
    return value
