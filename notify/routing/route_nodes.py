"""Values of a document of routes as YAML nodes: one, several, or a mapping; each mistake with its place.

Must not know which keys there are or what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import yaml

from rules.definition.errors import RuleError, closest
from rules.definition.spans import local_time
from rules.loading.nodes import RuleNodes

T = TypeVar("T")


class RouteNodes(RuleNodes):
    """Reads values and collects what is wrong."""

    def known_parts(self, node: yaml.MappingNode, keys: Sequence[str], what: str) -> dict[str, yaml.Node]:
        """Return the values of a mapping by key; an unknown one is a mistake, read as the one meant."""
        parts = self._parts(node)
        for key, value in node.value:
            name = str(getattr(key, "value", ""))
            if name not in keys:
                suggestion = closest(name, keys)
                self.wrong(key, f"{what} has no key {name!r}", suggestion)
                if suggestion is not None:
                    parts.setdefault(suggestion, value)
        return parts

    def text(self, node: yaml.Node, name: str) -> str:
        """Return one value as text, empty where it is none."""
        if isinstance(node, yaml.ScalarNode):
            return str(node.value).strip()
        self.wrong(node, f"{name} is one value")
        return ""

    def items(self, node: yaml.Node | None, name: str) -> list[yaml.Node]:
        """Return the items of a list."""
        if node is None:
            return []
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.wrong(node, f"{name} is a list")
        return []

    def one_or_more(self, node: yaml.Node | None, name: str) -> list[yaml.Node]:
        """Return one value, or the items of a list of values."""
        return [node] if isinstance(node, yaml.ScalarNode) else self.items(node, name)

    def read(self, node: yaml.Node, name: str, reading: Callable[[], T], default: T) -> T:
        """Return what a value means; where it means nothing add why, and return the default."""
        try:
            return reading()
        except RuleError as error:
            self.wrong(node, f"{name}: {error.message}", error.suggestion)
            return default

    def span(self, node: yaml.Node, name: str) -> tuple[int, int] | None:
        """Return a span of the day such as 22:00-06:00 in minutes after midnight."""
        text = self.text(node, name)
        return self.read(node, name, lambda: local_time(text), None)
