"""The part of a route that says which alerts it is for, read from YAML nodes.

Must not know what a route asks for (route_reader).
"""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from alerts.transition import Severity
from notify.routing.local_clock import EVERY_DAY, WEEKEND, WORKDAYS, LocalHours
from notify.routing.names import RouteNames
from notify.routing.route import RouteMatch
from notify.routing.route_nodes import RouteNodes
from rules.definition.errors import closest

KEYS = ("municipality", "kind", "severity", "at_least", "district", "rule", "route", "local_time", "days")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = (WORKDAYS, WEEKEND, *WEEK)


class MatchReader(RouteNodes):
    """Reads which alerts a route is for. names: what may be named; None: anything."""

    def __init__(self, names: RouteNames | None, file: str) -> None:
        super().__init__(file)
        self.names = names

    def match(self, node: yaml.Node) -> RouteMatch:
        """Return which alerts a route is for."""
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self.wrong(node, f"match is a list of keys: {', '.join(KEYS)}")
            return RouteMatch()
        parts = self.known_parts(node, KEYS, "match")
        names = self.names
        towns, kinds, districts, rule_routes = (
            (names.municipalities, names.kinds, names.districts, names.rule_routes) if names else [None] * 4
        )
        return RouteMatch(
            municipalities=self._named(parts, "municipality", towns),
            kinds=self._named(parts, "kind", kinds),
            severities=self._severities(parts),
            districts=self._named(parts, "district", districts),
            rules=self._rules(parts),
            rule_routes=self._named(parts, "route", rule_routes),
            hours=self._hours(parts),
        )

    def _named(self, parts: dict[str, yaml.Node], key: str, known: Iterable[str] | None) -> tuple[str, ...]:
        found = []
        for node in self.one_or_more(parts.get(key), key):
            found.append(text := self.text(node, key))
            if known is not None and text not in known:
                self.wrong(node, f"there is no {key} {text}", closest(text, known))
        return tuple(found)

    def _severities(self, parts: dict[str, yaml.Node]) -> tuple[Severity, ...]:
        if parts.keys() >= {"severity", "at_least"}:
            self.wrong(parts["at_least"], "at_least and severity exclude each other")
        found = self._severity_list(parts.get("severity"), "severity")
        least = self._severity_list(parts.get("at_least"), "at_least")
        if len(least) > 1:
            self.wrong(parts["at_least"], "at_least is one severity")
        return tuple(s for s in Severity if s in found or (least and s.rank >= least[0].rank))

    def _severity_list(self, node: yaml.Node | None, key: str) -> list[Severity]:
        found = []
        for one in self.one_or_more(node, key):
            text = self.text(one, key)
            if text in set(Severity):
                found.append(Severity(text))
            else:
                self.wrong(one, f"{text} is not a severity", closest(text, Severity))
        return found

    def _rules(self, parts: dict[str, yaml.Node]) -> tuple[str, ...]:
        known = self.names.rules if self.names is not None else None
        found = []
        for node in self.one_or_more(parts.get("rule"), "rule"):
            found.append(text := self.text(node, "rule"))
            if "*" in text[:-1]:
                self.wrong(node, "a * stands at the end only")
            elif known is None:
                continue
            elif text.endswith("*") and not any(rule.startswith(text[:-1]) for rule in known):
                self.wrong(node, f"no rule begins with {text[:-1]}", closest(text, known))
            elif not text.endswith("*") and text not in known:
                self.wrong(node, f"there is no rule {text}", closest(text, known))
        return tuple(found)

    def _hours(self, parts: dict[str, yaml.Node]) -> LocalHours | None:
        node = parts.get("local_time")
        if node is None and "days" not in parts:
            return None
        minutes = None if node is None else self.span(node, "local_time")
        return LocalHours(minutes=minutes, days=self._days(parts.get("days")))

    def _days(self, node: yaml.Node | None) -> frozenset[int] | str:
        if node is None:
            return EVERY_DAY
        found: set[int] = set()
        for one in self.one_or_more(node, "days"):
            text = self.text(one, "days").lower()
            if text in WEEK:
                found.add(WEEK.index(text) + 1)
            elif text in (WEEKEND, WORKDAYS) and one is node:
                return text
            else:
                self.wrong(
                    one, f"days is {WORKDAYS}, {WEEKEND} or a list of {', '.join(WEEK)}", closest(text, DAYS)
                )
        return frozenset(found) or EVERY_DAY
