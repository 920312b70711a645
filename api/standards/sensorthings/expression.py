"""The language of $filter and $orderby: text becomes a tree. Pure; must not know entities.

Precedence, the strongest first: not and minus, mul div mod, add sub, comparisons, and, or (OData 4.0).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely

DEEPEST, MOST_TOKENS = 40, 400
COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_LEVELS = (("or",), ("and",), COMPARISONS, ("add", "sub"), ("mul", "div", "mod"))
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<geography>geography'[^']*')
    | (?P<duration>duration'[^']*')
    | (?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>-?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?(?![\w.]))
    | (?P<name>[A-Za-z_@][\w.@]*(?:/[A-Za-z_@][\w.@]*)*)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE,
)
_DURATION = re.compile(
    r"(-?)P(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?"
)


class BadExpression(ValueError):
    """An expression that cannot be understood; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: text, number, truth, null, instant, duration or geometry."""

    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """A property, perhaps of what an entity leads to: Datastream/Thing/name."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator with its arguments."""

    name: str
    arguments: tuple[Node, ...]


Node = Literal | Path | Call


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """Return the tree of an expression.

    Raises:
        BadExpression: it is none.
    """
    reader = _Reader(_tokens(text))
    found = reader.level(0, 0)
    if reader.at < len(reader.tokens):
        raise reader.unread("an operator or the end")
    return found


def conjuncts(node: Node | None) -> list[Node]:
    """Return the parts of a tree that must all be true."""
    if node is None:
        return []
    if isinstance(node, Call) and node.name == "and":
        return [part for argument in node.arguments for part in conjuncts(argument)]
    return [node]


def paths_of(node: Node) -> list[Path]:
    """Return every path in a tree."""
    match node:
        case Path():
            return [node]
        case Call():
            return [path for argument in node.arguments for path in paths_of(argument)]
        case Literal():
            return []


def _tokens(text: str) -> list[_Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadExpression(f"cannot be read from character {at + 1} on: {text[at : at + 20]!r}")
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    if len(tokens) > MOST_TOKENS:
        raise BadExpression(f"more than {MOST_TOKENS} words")
    return tokens


class _Reader:
    """Reads one expression, token after token."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def level(self, level: int, depth: int) -> Node:
        """Return the tree of operators that bind at least as strongly as those of a level."""
        if depth > DEEPEST:
            raise BadExpression(f"nests deeper than {DEEPEST} levels")
        if level == len(_LEVELS):
            return self._unary(depth + 1)
        found = self.level(level + 1, depth)
        while (operator := self._operator(_LEVELS[level])) is not None:
            found = Call(operator, (found, self.level(level + 1, depth)))
        return found

    def unread(self, expected: str) -> BadExpression:
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            return BadExpression(f"expected {expected} at character {token.at + 1}, not {token.text[:40]!r}")
        return BadExpression(f"ends where {expected} is expected")

    def _operator(self, names: tuple[str, ...]) -> str | None:
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "name" and token.text in names:
                self.at += 1
                return token.text
        return None

    def _unary(self, depth: int) -> Node:
        if self._operator(("not",)):
            return Call("not", (self.level(2, depth),))
        return self._primary(depth)

    def _mark(self, text: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at].text == text:
            self.at += 1
            return True
        return False

    def _primary(self, depth: int) -> Node:
        if self._mark("("):
            found = self.level(0, depth)
            if not self._mark(")"):
                raise self.unread("a )")
            return found
        if self.at == len(self.tokens) or self.tokens[self.at].kind == "mark":
            raise self.unread("a value or a property")
        token = self.tokens[self.at]
        self.at += 1
        if token.kind != "name":
            return Literal(_literal(token))
        if token.text in ("true", "false", "null"):
            return Literal({"true": True, "false": False}.get(token.text))
        if not self._mark("("):
            return Path(tuple(token.text.split("/")))
        arguments: list[Node] = []
        if not self._mark(")"):
            arguments.append(self.level(0, depth))
            while self._mark(","):
                arguments.append(self.level(0, depth))
            if not self._mark(")"):
                raise self.unread("a )")
        return Call(token.text.lower(), tuple(arguments))


def _literal(token: _Token) -> Any:
    match token.kind:
        case "text":
            return token.text[1:-1].replace("''", "'")
        case "number":
            return float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)
        case "instant" | "date":
            return _instant(token)
        case "duration":
            return _duration(token)
        case _:
            return _geometry(token)


def _instant(token: _Token) -> datetime:
    try:
        text = token.text if token.kind == "instant" else f"{token.text}T00:00:00Z"
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise BadExpression(f"{token.text} at character {token.at + 1} is no instant") from None
    if not 1900 <= found.year < 9999:
        raise BadExpression(f"{token.text}: write an instant of the years 1900 to 9998")
    return found


def _duration(token: _Token) -> timedelta:
    match = _DURATION.fullmatch(token.text[len("duration'") : -1])
    if match is None:
        raise BadExpression(f"{token.text} is no duration, such as duration'PT1H'")
    sign, days, hours, minutes, seconds = match.groups()
    found = timedelta(
        days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0)
    )
    return -found if sign else found


def _geometry(token: _Token) -> shapely.Geometry:
    text = token.text[len("geography'") : -1]
    if len(text) > 20_000:
        raise BadExpression("a geography has at most 20,000 characters")
    try:
        found = shapely.from_wkt(text)
    except shapely.errors.ShapelyError:
        raise BadExpression(
            f"{token.text[:60]} is no geography, such as geography'POINT (35.84 34.43)'"
        ) from None
    if found.is_empty or not found.is_valid:
        raise BadExpression(f"{token.text[:60]} is empty, or its edges cross")
    return found
