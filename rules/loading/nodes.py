"""One rule as YAML nodes: each part with its line and column, and every mistake found there.

Must not know which keys a rule has or what they mean (rules.loading.reader).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import yaml

from rules.definition.definition import Definition
from rules.definition.errors import RuleError, closest

T = TypeVar("T")
Place = tuple[int, int]
"""Line and column, from 1."""


class RuleNodes:
    """The parts of the rule that is being read ("levels.warning"), and what is wrong in the whole file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._nodes: dict[str, yaml.Node] = {}
        self.errors: list[RuleError] = []

    def wrong(self, node: yaml.Node | None, message: str, suggestion: str | None = None) -> None:
        """Add a mistake."""
        line, column = _place(node) if node is not None else (1, 1)
        self.errors.append(
            RuleError(message, file=self._file, line=line, column=column, suggestion=suggestion)
        )

    def _unknown(
        self, key: yaml.Node, message: str, name: str, known: Iterable[str], prefix: str = ""
    ) -> None:
        """Add an unknown key as a mistake, and go on as if the one probably meant had been written."""
        suggestion = closest(name, known)
        self.wrong(key, message, suggestion)
        if suggestion is not None and prefix + name in self._nodes:
            self._nodes.setdefault(prefix + suggestion, self._nodes[prefix + name])

    def _parts(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        parts: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(getattr(key, "value", ""))
            if name in parts:
                self.wrong(key, f"{name} is given twice")
            parts[name] = value
        return parts

    def _text(self, name: str) -> str | None:
        node = self._nodes.get(name)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"{name} is one value")
            return None
        return str(node.value).strip()

    def _read(self, name: str, read: Callable[[str], T], default: T) -> T:
        text = self._text(name)
        if text is None:
            return default
        try:
            return read(text)
        except RuleError as error:
            self.wrong(self._nodes[name], f"{name}: {error.message}", error.suggestion)
            return default

    def _choice(self, name: str, choices: tuple[Any, ...], default: Any) -> Any:
        if name not in self._nodes:
            return default
        value = plain(self._nodes[name])
        if value not in choices:
            words = [str(c).lower() for c in choices]
            suggestion = closest(str(value).lower(), words)
            self.wrong(self._nodes[name], f"{name} is {' or '.join(words)}, not {value}", suggestion)
            return default
        return value

    def _texts(self, name: str) -> tuple[str, ...]:
        node = self._nodes.get(name)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{name} is a list of rule ids")
            return ()
        return tuple(str(v) for v in plain(node))

    def _mapping(self, name: str) -> list[tuple[yaml.ScalarNode, yaml.ScalarNode]]:
        node = self._nodes.get(name)
        if node is None:
            return []
        pairs = node.value if isinstance(node, yaml.MappingNode) else None
        if pairs is None or not all(isinstance(n, yaml.ScalarNode) for pair in pairs for n in pair):
            self.wrong(node, f"{name} is a list of keys with one value each")
            return []
        self._nodes |= {f"{name}.{key.value}": value for key, value in pairs}
        return list(pairs)

    def _expressions(self, name: str) -> dict[str, str]:
        return {key.value: str(value.value) for key, value in self._mapping(name)}

    def located(self, definition: Definition, part: str, error: RuleError) -> RuleError:
        """Return an error of one part of the rule read last ("levels.warning") with its line and column."""
        node = self._nodes.get(part)
        line, column = _place(node) if node is not None else (1, 1)
        # In a text on one line the column within the expression gives the column in the file.
        if isinstance(node, yaml.ScalarNode) and node.start_mark.line == node.end_mark.line and error.column:
            column += error.column - 1 + (node.style in ("'", '"'))
        named = f"{definition.id}, {part}" if definition.id else part
        message = f"{named}: {error.message}"
        return RuleError(message, file=self._file, line=line, column=column, suggestion=error.suggestion)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def plain(node: yaml.Node) -> Any:
    """Return a node as JSON values; times such as 10:30 and dates stay text."""
    if isinstance(node, yaml.MappingNode):
        return {str(plain(key)): plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(value) for value in node.value]
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value.lower() in ("true", "yes", "on")
    return node.value
