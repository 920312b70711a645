"""System query options: $filter, $expand, $select, $orderby, $top, $skip, $count; nested ones too. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

from api.standards.sensorthings.evaluate import check
from api.standards.sensorthings.expression import BadExpression, Node, parse, paths_of
from api.standards.sensorthings.model import NAVIGATION

MOST = 1000
DEFAULT_TOP, NESTED_TOP = 100, 20
MOST_SKIPPED = 100_000
DEEPEST = 5
MOST_STEPS = 3
"""From entity to entity in one path."""
_STEPS = frozenset(name for several in NAVIGATION.values() for name in several)
NAMES = ("$filter", "$expand", "$select", "$orderby", "$top", "$skip", "$count")


class BadOption(ValueError):
    """An option that cannot be understood; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of a collection, or of one entity. order: expressions, and whether each is descending.

    texts: as they were written, for the address of the next page.
    """

    filter: Node | None = None
    order: tuple[tuple[Node, bool], ...] = ()
    select: tuple[str, ...] | None = None
    expand: Mapping[str, Options] = field(default_factory=dict)
    top: int = DEFAULT_TOP
    skip: int = 0
    count: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)


def read(texts: Mapping[str, str], *, depth: int = 0) -> Options:
    """Return options by their texts.

    Raises:
        BadOption: one of them cannot be understood.
    """
    for name in texts:
        if name not in NAMES:
            raise BadOption(f"{name!r} is no option; there are {', '.join(NAMES)}")
    select = texts.get("$select")
    return Options(
        filter=_filter(texts.get("$filter")),
        order=_order(texts.get("$orderby")),
        select=None if select is None else tuple(p.strip() for p in select.split(",") if p.strip()),
        expand=_expand(texts.get("$expand"), depth),
        top=_number("$top", texts.get("$top"), NESTED_TOP if depth else DEFAULT_TOP, MOST),
        skip=_number("$skip", texts.get("$skip"), 0, MOST_SKIPPED),
        count=_truth(texts.get("$count")),
        texts=texts,
    )


def _filter(text: str | None) -> Node | None:
    return None if text is None else _expression("$filter", text)


def _expression(option: str, text: str) -> Node:
    try:
        node = parse(text)
        check(node)
    except BadExpression as error:
        raise BadOption(f"{option}: {error}") from None
    for path in paths_of(node):
        if len(list(takewhile(_STEPS.__contains__, path.parts))) > MOST_STEPS:
            raise BadOption(
                f"{option}: {'/'.join(path.parts)[:80]} leads on from entity to entity more than"
                f" {MOST_STEPS} times"
            )
    return node


def _order(text: str | None) -> tuple[tuple[Node, bool], ...]:
    found = []
    for part in _split(text or "", ","):
        words = part.split()
        descending = words[-1].lower() == "desc"
        said = part.rsplit(None, 1)[0] if words[-1].lower() in ("asc", "desc") and len(words) > 1 else part
        found.append((_expression("$orderby", said), descending))
    return tuple(found)


def _expand(text: str | None, depth: int) -> dict[str, Options]:
    """Return by name what is to be told beside; Datastreams/Sensor is Datastreams($expand=Sensor)."""
    found: dict[str, Options] = {}
    if text and depth >= DEEPEST:
        raise BadOption(f"$expand: nests deeper than {DEEPEST} levels")
    for part in _split(text or "", ","):
        name, _, inner = part.partition("(")
        if inner and not inner.endswith(")"):
            raise BadOption(f"$expand: {part!r} lacks a )")
        nested = {}
        for option in _split(inner[:-1], ";"):
            key, equals, value = option.partition("=")
            if not equals:
                raise BadOption(f"$expand: {option!r} is no option")
            nested[key.strip()] = value.strip()
        name, _, deeper = name.strip().partition("/")
        if deeper:
            nested = {"$expand": f"{deeper}({';'.join(f'{k}={v}' for k, v in nested.items())})"}
            if nested["$expand"].endswith("()"):
                nested["$expand"] = deeper
        options = read(nested, depth=depth + 1)
        if name in found:
            options = replace(options, expand={**found[name].expand, **options.expand})
        found[name] = options
    return found


def _split(text: str, mark: str) -> list[str]:
    """Return the parts of a text between marks, but not those within quotes or parentheses."""
    parts, begin, depth, quoted = [], 0, 0, False
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == mark and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    parts.append(text[begin:])
    return [part.strip() for part in parts if part.strip()]


def _number(name: str, text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadOption(f"{name}: {text[:40]!r} is no number")
    if name == "$skip" and int(text) > most:
        raise BadOption(f"$skip: at most {most}; narrow by $filter instead")
    return min(int(text), most)


def _truth(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise BadOption("$count: is true or false")
    return text == "true"
