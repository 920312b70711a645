"""The query language of NGSI-LD (ETSI GS CIM 009, 4.9): `fillingLevel>0.8;status=="ok"` becomes a condition.

`;` (and) binds closer than `|` (or). Pure: conditions are asked of attributes. Must not know entities' ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.standards.ngsi_ld.patterns import BadPattern, Pattern
from api.standards.ngsi_ld.values import EntityAttribute
from devices.instants import rfc3339

Attributes = Mapping[str, EntityAttribute]
Condition = Callable[[Attributes], bool]

MOST_TERMS = 50
DEEPEST = 10
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<mark>[();|])
    | (?P<operator>==|!=|>=|<=|!~=|~=|>|<)
    | (?P<range>\.\.)
    | (?P<comma>,)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<word>(?:(?!\.\.)[^\s();|=!<>~,"])+)
    )""",
    re.VERBOSE,
)
_PATH = re.compile(r"([^\[\].]+)((?:\.[^\[\].]+)*)(?:\[([^\[\]]+)\])?")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?(?:[eE][+-]?\d{1,3})?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?(?:Z|[+-]\d\d:\d\d))?")


class BadQuery(ValueError):
    """A query that cannot be understood; the text says where and why."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def condition(text: str, short_name: Callable[[str], str] = lambda name: name) -> Condition:
    """Return what a query asks of the attributes of an entity.

    Args:
        text: the query.
        short_name: of an attribute that may be written as an IRI.

    Raises:
        BadQuery: it cannot be understood.
    """
    reader = _Reader(_tokens(text), short_name)
    found = reader.either(0)
    reader.end()
    return found


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"q: cannot be read from character {at + 1} on: {text[at : at + 20]!r}")
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    if len(tokens) > MOST_TERMS * 4:
        raise BadQuery(f"q: more than {MOST_TERMS} terms")
    return tokens


class _Reader:
    """Reads one query, token after token."""

    def __init__(self, tokens: list[_Token], short_name: Callable[[str], str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.short_name = short_name

    def either(self, depth: int) -> Condition:
        found = [self.all_of(depth)]
        while self._take("mark", "|"):
            found.append(self.all_of(depth))
        return found[0] if len(found) == 1 else lambda entity: any(one(entity) for one in found)

    def all_of(self, depth: int) -> Condition:
        found = [self.term(depth)]
        while self._take("mark", ";"):
            found.append(self.term(depth))
        return found[0] if len(found) == 1 else lambda entity: all(one(entity) for one in found)

    def term(self, depth: int) -> Condition:
        if depth > DEEPEST:
            raise BadQuery(f"q: nests deeper than {DEEPEST} parentheses")
        if self._take("mark", "("):
            found = self.either(depth + 1)
            if not self._take("mark", ")"):
                raise self._unread("a )")
            return found
        path = self._take("word")
        if path is None:
            raise self._unread("the name of an attribute")
        get = self._path(path)
        operator = self._take("operator")
        if operator is None:
            return lambda entity: get(entity) is not None
        return self._comparison(get, operator.text)

    def end(self) -> None:
        if self.at < len(self.tokens):
            raise self._unread("; or | or the end")

    def _path(self, token: _Token) -> Callable[[Attributes], Any]:
        word = self.short_name(token.text)
        if ":" in word:
            raise BadQuery(f"q: {word!r} is no attribute that is known here")
        match = _PATH.fullmatch(word)
        if match is None:
            raise BadQuery(f"q: {word!r} is no path of an attribute")
        name, dotted, inner = match[1], match[2], match[3]
        below = [part for part in dotted.split(".") if part]
        deeper = inner.split(".") if inner else []
        return lambda entity: _value(entity.get(name), below, deeper)

    def _comparison(self, get: Callable[[Attributes], Any], operator: str) -> Condition:
        if operator in ("~=", "!~="):
            token = self._take("text") or self._take("word")
            if token is None:
                raise self._unread("a pattern")
            try:
                pattern = Pattern(_text(token))
            except BadPattern as error:
                raise BadQuery(f"q: {error}") from None
            wanted = operator == "~="
            return lambda entity: _matches(get(entity), pattern, wanted)
        first = self._operand()
        if self._take("range"):
            low, high = first, self._operand()
            within = operator == "=="
            if operator not in ("==", "!="):
                raise BadQuery(f"q: a range is compared with == or !=, not {operator}")
            return lambda entity: _in_range(get(entity), low, high, within)
        if operator in ("==", "!="):
            wanted_values = [first]
            while self._take("comma"):
                wanted_values.append(self._operand())
            return lambda entity: _is_one(get(entity), wanted_values, operator == "==")
        return lambda entity: _ordered(get(entity), operator, first)

    def _operand(self) -> Any:
        token = self._take("text") or self._take("word")
        if token is None:
            raise self._unread("a value")
        return _operand(token)

    def _take(self, kind: str, text: str | None = None) -> _Token | None:
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == kind and text in (None, token.text):
                self.at += 1
                return token
        return None

    def _unread(self, expected: str) -> BadQuery:
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            return BadQuery(f"q: expected {expected} at character {token.at + 1}, not {token.text[:40]!r}")
        return BadQuery(f"q: ends where {expected} is expected")


def _text(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    try:
        return str(json.loads(token.text))
    except ValueError:
        return token.text[1:-1]  # a pattern with escapes of its own, such as "bin\.7"


def _operand(token: _Token) -> Any:
    if token.kind == "text":
        return _text(token)
    if token.text in ("true", "false"):
        return token.text == "true"
    return float(token.text) if _NUMBER.fullmatch(token.text) else token.text


def _value(attribute: EntityAttribute | None, below: list[str], deeper: list[str]) -> Any:
    if attribute is None:
        return None
    value: Any = attribute.value
    if isinstance(value, Mapping) and "@value" in value:
        value = value["@value"]
    for part in below:
        match part:
            case "observedAt":
                value = None if attribute.observed_at is None else rfc3339(attribute.observed_at)
            case "unitCode":
                value = attribute.unit_code or None
            case _:
                return None
    for part in deeper:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _same_sort(value: Any, wanted: Any) -> tuple[Any, Any] | None:
    """Return both as what can be compared, None where they are of different sorts."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return (value, wanted) if isinstance(value, bool) and isinstance(wanted, bool) else None
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return value, wanted
    if isinstance(value, str) and isinstance(wanted, str):
        instants = _instant(value), _instant(wanted)
        return (value, wanted) if None in instants else instants
    return None


def _instant(text: str) -> datetime | None:
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        return None


def _is_one(value: Any, wanted: list[Any], equal: bool) -> bool:
    if value is None:
        return False
    pairs = [_same_sort(value, one) for one in wanted]
    return any(pair is not None and pair[0] == pair[1] for pair in pairs) == equal


def _in_range(value: Any, low: Any, high: Any, within: bool) -> bool:
    if value is None:
        return False
    above, below = _same_sort(value, low), _same_sort(value, high)
    inside = above is not None and below is not None and above[0] >= above[1] and below[0] <= below[1]
    return inside == within


def _ordered(value: Any, operator: str, wanted: Any) -> bool:
    pair = None if value is None else _same_sort(value, wanted)
    if pair is None:
        return False
    left, right = pair
    match operator:
        case ">":
            return bool(left > right)
        case "<":
            return bool(left < right)
        case ">=":
            return bool(left >= right)
        case _:
            return bool(left <= right)


def _matches(value: Any, pattern: Pattern, wanted: bool) -> bool:
    return isinstance(value, str) and pattern.is_in(value) == wanted
