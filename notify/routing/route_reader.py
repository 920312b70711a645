"""A document of routes as YAML nodes to the tree: every mistake with line, column and the nearest name.

Must not know the database: what may be named is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import nan

import yaml

from notify.facts import EscalationStep
from notify.routing.local_clock import LocalSpan
from notify.routing.match_reader import MatchReader
from notify.routing.names import RECEIVERS, ROLES, RouteNames
from notify.routing.route import Route, RouteMatch
from rules.definition.durations import duration_us
from rules.definition.errors import RuleError, RulesRefused, closest
from rules.loading.document import root_of

KEYS = ("name", "match", "tell", "steps", "repeat", "group_for", "resolved", "quiet_hours", "routes")
STEP_KEYS = ("after", "tell")
NEVER = "never"
NAME_LENGTH = 100
MOST_DEEP = 16


class RoutesRefused(RulesRefused):
    """Routes that cannot be used as they are; those in force stay."""


def read_routes(text: str, names: RouteNames | None = None, *, file: str = "") -> Route:
    """Return the root of a document of routes.

    Args:
        names: what may be named; None: anything, such as what was accepted before.
        file: what mistakes are reported for.

    Raises:
        RoutesRefused: with every mistake, in the order of the lines.
    """
    try:
        root = root_of(text, file)
    except RuleError as error:
        raise RoutesRefused([error]) from None
    reader = RouteReader(names, file)
    found = reader.route(root, Route(name="default"), level=0)
    if reader.errors:
        raise RoutesRefused(sorted(reader.errors, key=lambda e: (e.line, e.column)))
    return found


class RouteReader(MatchReader):
    """Reads the routes of one document and collects what is wrong."""

    def route(self, node: yaml.Node | None, parent: Route, level: int, name: str = "default") -> Route:
        """Return one route with its children; what it does not say it has from its parent."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"a route is a list of keys such as {', '.join(KEYS[:4])}")
            return parent
        parts = self.known_parts(node, KEYS, "a route")
        self._check_place(node, parts, level)
        found = replace(
            parent,
            name=self._name(parts.get("name"), name),
            match=self.match(parts["match"]) if "match" in parts else RouteMatch(),
            steps=self._steps(parts, parent.steps),
            repeat_s=self._repeat(parts.get("repeat"), parent.repeat_s),
            group_for_s=self._seconds(parts.get("group_for"), "group_for", parent.group_for_s),
            resolved=self._truth(parts.get("resolved"), parent.resolved),
            quiet_hours=self._quiet_hours(parts.get("quiet_hours"), parent.quiet_hours),
            children=(),
        )
        return replace(found, children=self._children(parts.get("routes"), found, level))

    def _check_place(self, node: yaml.Node, parts: dict[str, yaml.Node], level: int) -> None:
        if level == 0 and "match" in parts:
            self.wrong(parts["match"], "the first route is for all alerts: it has no match; its routes have")
        if level == 0 and not parts.keys() & {"tell", "steps"}:
            self.wrong(node, "the first route says whom to tell of what no other takes: tell or steps")
        if level > 0 and "match" not in parts:
            self.wrong(node, "match is missing: a route without it would take everything")
        if level > MOST_DEEP:
            self.wrong(node, f"routes are at most {MOST_DEEP} deep")
        if parts.keys() >= {"tell", "steps"}:
            self.wrong(parts["tell"], "tell is short for one step at once: write it into steps")

    def _children(self, node: yaml.Node | None, parent: Route, level: int) -> Sequence[Route]:
        if level > MOST_DEEP:
            return ()
        listed = enumerate(self.items(node, "routes"), start=1)
        prefix = "" if level == 0 else f"{parent.name}/"
        return tuple(self.route(one, parent, level + 1, f"{prefix}{i}") for i, one in listed)

    def _name(self, node: yaml.Node | None, default: str) -> str:
        if node is None:
            return default
        text = self.text(node, "name")
        if not 1 <= len(text) <= NAME_LENGTH or not text.isprintable():
            self.wrong(node, f"a name has 1 to {NAME_LENGTH} characters")
        return text

    def _steps(
        self, parts: dict[str, yaml.Node], default: tuple[EscalationStep, ...]
    ) -> tuple[EscalationStep, ...]:
        if "steps" in parts:
            found = [self._step(one) for one in self.items(parts["steps"], "steps")]
            late = [b for a, b in pairwise(found) if b.after_s <= a.after_s]
            if late:
                self.wrong(parts["steps"], "each step comes later than the one before it")
            return tuple(found)
        if "tell" in parts:
            receivers = self._receivers(parts["tell"])
            return (EscalationStep(after_s=0.0, receivers=receivers),) if receivers else ()
        return default

    def _step(self, node: yaml.Node) -> EscalationStep:
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, "a step has the keys after and tell")
            return EscalationStep(after_s=0.0, receivers=())
        parts = self.known_parts(node, STEP_KEYS, "a step")
        if "tell" not in parts:
            self.wrong(node, "tell is missing")
        return EscalationStep(
            after_s=self._seconds(parts["after"], "after", nan) if "after" in parts else 0.0,
            receivers=self._receivers(parts.get("tell")),
        )

    def _receivers(self, node: yaml.Node | None) -> tuple[str, ...]:
        found = [(one, self.text(one, "tell")) for one in self.one_or_more(node, "tell")]
        for one, text in found:
            self._check_receiver(one, text)
        return tuple(dict.fromkeys(text for _, text in found))

    def _check_receiver(self, node: yaml.Node, text: str) -> None:
        kind, colon, name = text.partition(":")
        if not colon:
            if text not in ROLES:
                written = ", ".join([*(f"{kind}:NAME" for kind in RECEIVERS), *ROLES])
                said = f"{text!r} is no receiver: write {written}"
                self.wrong(node, said, closest(text, [*ROLES, *self._all_receivers()]))
        elif kind not in RECEIVERS:
            self.wrong(node, f"{text!r} is no receiver", self._with_kind(closest(kind, RECEIVERS), name))
        elif self.names is not None and name not in (known := self.names.receivers(kind)):
            self.wrong(
                node, f"there is no {RECEIVERS[kind]} {name}", self._with_kind(kind, closest(name, known))
            )

    def _with_kind(self, kind: str | None, name: str | None) -> str | None:
        return f"{kind}:{name}" if kind and name else None

    def _all_receivers(self) -> Iterable[str]:
        if self.names is None:
            return ()
        names = self.names
        return [f"{kind}:{name}" for kind in RECEIVERS for name in names.receivers(kind)]

    def _repeat(self, node: yaml.Node | None, default: float | None) -> float | None:
        if node is None:
            return default
        if self.text(node, "repeat") == NEVER:
            return None
        found = self._seconds(node, "repeat", 60.0)
        if found < 60:
            self.wrong(node, "repeat is at least 1m, or never")
        return found

    def _seconds(self, node: yaml.Node | None, name: str, default: float) -> float:
        if node is None:
            return default
        text = self.text(node, name)
        return self.read(node, name, lambda: 0.0 if text == "0" else duration_us(text, NEVER) / 1e6, default)

    def _truth(self, node: yaml.Node | None, default: bool) -> bool:
        if node is None:
            return default
        found = {"true": True, "false": False}.get(self.text(node, "resolved").lower())
        if found is None:
            self.wrong(node, "resolved is true or false")
        return default if found is None else found

    def _quiet_hours(self, node: yaml.Node | None, default: Sequence[LocalSpan]) -> tuple[LocalSpan, ...]:
        if node is None:
            return tuple(default)
        found = []
        for one in self.one_or_more(node, "quiet_hours"):
            start, end = self.span(one, "quiet_hours") or (0, 1)
            if start == end:
                self.wrong(one, "quiet_hours: nobody would ever be told")
            found.append(LocalSpan(start_min=start, end_min=end))
        return tuple(found)
