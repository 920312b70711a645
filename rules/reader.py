"""One rule file as YAML nodes to definitions: keys, values and shapes, each mistake with its place.

Must not know how conditions are compiled (rules.files does that) or the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import yaml

from devices.kinds import STRUCTURAL
from devices.kinds.kind import Kind
from rules.among import read_among
from rules.definition import ID, LANGUAGES, SETTLE_US, Definition, Gap, Gate, Hold, Silent
from rules.durations import duration_us
from rules.errors import RuleError, closest
from rules.families import FAMILIES, Sweep, read_family
from rules.summary import check
from rules.transition import Severity

T = TypeVar("T")
Place = tuple[int, int]
"""Line and column, from 1."""

_SHARED = ["id", "kind", "summary", "suppress_by", "settle", "when", "route", "runbook"]
_STREAM_KEYS = [
    *_SHARED,
    "levels",
    "let",
    "labels",
    "clear",
    "for",
    "max_gap",
    "keep_firing",
    "late",
    "use_suspect",
]
_SWEEP_FAMILIES = ["silent", *FAMILIES]
_SWEEP_KEYS = [*_SHARED, "family", *_SWEEP_FAMILIES]
_SILENT_KEYS = ("missing", "at_least", "severity", "after")
_READINGS = re.compile(r"(\d+)\s*readings?")
_INTERVALS = re.compile(r"(\d+(?:\.\d+)?)\s*intervals?")
_GATE_CHOICES = {"days": ("weekend", "workdays"), "sun": ("day", "night"), "maintenance": ("rest", "look")}
_LOCAL_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Reader:
    """Reads the rules of one file and collects what is wrong."""

    def __init__(self, kinds: Mapping[str, Kind], file: str) -> None:
        self._kinds = kinds
        self._file = file
        self._ids: set[str] = set()
        self._nodes: dict[str, yaml.Node] = {}
        self.errors: list[RuleError] = []

    def wrong(self, node: yaml.Node | None, message: str, suggestion: str | None = None) -> None:
        """Note a mistake."""
        line, column = _place(node) if node is not None else (1, 1)
        self.errors.append(
            RuleError(message, file=self._file, line=line, column=column, suggestion=suggestion)
        )

    def rule(self, node: yaml.Node) -> Definition | None:
        """Return one definition, None when it is too incomplete; whether it is right, `errors` tells."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, "a rule is a list of keys such as id, kind, summary, levels")
            return None
        self._nodes = self._parts(node)
        sweep = self._text("family") == "sweep" or any(name in self._nodes for name in _SWEEP_FAMILIES)
        complete = self._check_keys(node, _SWEEP_KEYS if sweep else _STREAM_KEYS, sweep)
        return self._build(node, sweep) if complete else None

    def _parts(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        parts: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(getattr(key, "value", ""))
            if name in parts:
                self.wrong(key, f"{name} is given twice")
            parts[name] = value
        return parts

    def _check_keys(self, node: yaml.MappingNode, allowed: list[str], sweep: bool) -> bool:
        """Note unknown and missing keys; tell whether the necessary ones are there."""
        for key, _ in node.value:
            name = str(getattr(key, "value", ""))
            if name not in allowed:
                self.wrong(key, f"a rule has no key {name!r}", closest(name, allowed))
        family = self._family()
        kind = ["kind"] if family in FAMILIES else []
        needed = ["id", *kind, "summary", family] if sweep else ["id", "kind", "summary", "levels"]
        for name in needed:
            if name not in self._nodes:
                self.wrong(node, f"{name} is missing")
        return all(name in self._nodes for name in needed)

    def _build(self, node: yaml.Node, sweep: bool) -> Definition:
        kind = self._text("kind")
        family = self._family()
        structural = family in FAMILIES and FAMILIES[family].structural
        known = STRUCTURAL if structural else [*self._kinds, "any"]
        if kind is not None and kind not in known:
            self.wrong(self._nodes["kind"], f"there is no kind {kind}", closest(kind, known))
        hold = self._read("for", _hold, Hold())
        return Definition(
            id=self._id(),
            kind=None if kind == "any" else kind,
            summary=self._sentences("summary", needed=True),
            runbook=self._sentences("runbook", needed=False),
            levels=self._levels(),
            let=self._expressions("let"),
            labels=self._labels(),
            clear=self._text("clear"),
            hold=hold,
            keep_firing=self._read("keep_firing", _hold, hold),
            max_gap=self._read("max_gap", _gap, Gap()),
            when=self._gate(sweep),
            suppress_by=self._texts("suppress_by"),
            settle_us=self._read("settle", duration_us, SETTLE_US),
            late=self._choice("late", ("record", "raise"), "record"),
            use_suspect=self._choice("use_suspect", (False, True), False),
            route=self._text("route") or "",
            silent=self._silent(self._kinds.get(kind or "")) if sweep and "silent" in self._nodes else None,
            sweep=self._sweep(family, self._kinds.get(kind or "")) if family in FAMILIES else None,
            source=_plain(node),
        )

    def _id(self) -> str:
        found = self._text("id") or ""
        if not ID.fullmatch(found):
            self.wrong(self._nodes["id"], f"{found!r}: an id is a-z, 0-9 and -, a letter first, at most 63")
        elif found in self._ids:
            self.wrong(self._nodes["id"], f"{found} is the id of an earlier rule")
        self._ids.add(found)
        return found

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
        except ValueError as error:
            self.wrong(self._nodes[name], f"{name}: {error}")
            return default

    def _choice(self, name: str, choices: tuple[Any, ...], default: Any) -> Any:
        if name not in self._nodes:
            return default
        value = _plain(self._nodes[name])
        if value not in choices:
            allowed = " or ".join(str(c).lower() for c in choices)
            self.wrong(self._nodes[name], f"{name} is {allowed}, not {value}")
            return default
        return value

    def _texts(self, name: str) -> tuple[str, ...]:
        node = self._nodes.get(name)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{name} is a list of rule ids")
            return ()
        return tuple(str(v) for v in _plain(node))

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

    def _sentences(self, name: str, *, needed: bool) -> dict[str, str]:
        sentences = self._expressions(name)
        for key, _ in self._mapping(name):
            if key.value not in LANGUAGES:
                self.wrong(key, f"{name} is in {', '.join(LANGUAGES)}, not {key.value}")
        for language in LANGUAGES:
            if (needed or sentences) and language not in sentences:
                self.wrong(self._nodes.get(name), f"{name} has no {language}")
        return sentences

    def _labels(self) -> dict[str, dict[str, str]]:
        """Return what readers see instead of the names of `let`."""
        node = self._nodes.get("labels")
        found: dict[str, dict[str, str]] = _plain(node) if isinstance(node, yaml.MappingNode) else {}
        if node is not None and not found:
            self.wrong(node, "labels is a list of names of `let`, each in en, fr and ar")
        for name, label in found.items():
            if f"let.{name}" not in self._nodes:
                self.wrong(node, f"labels: no `let` is called {name}", closest(name, self._let_names()))
            elif not isinstance(label, dict) or set(label) != set(LANGUAGES):
                self.wrong(node, f"labels: {name} is in {', '.join(LANGUAGES)}")
        return found

    def _let_names(self) -> list[str]:
        return [name.partition(".")[2] for name in self._nodes if name.startswith("let.")]

    def _levels(self) -> dict[Severity, str]:
        levels: dict[Severity, str] = {}
        for key, value in self._mapping("levels"):
            try:
                levels[Severity(key.value)] = str(value.value)
            except ValueError:
                self.wrong(key, f"{key.value} is not a severity", closest(key.value, Severity))
        if "levels" in self._nodes and not levels:
            self.wrong(self._nodes["levels"], "levels has at least one severity with its condition")
        return levels

    def _gate(self, sweep: bool) -> Gate | None:
        given = self._expressions("when")
        start = end = None
        for name, text in list(given.items()):
            node = self._nodes[f"when.{name}"]
            if name == "local_time":
                found = _LOCAL_TIME.fullmatch(text)
                if not found:
                    self.wrong(node, f"{text!r} is not a span such as 22:00-06:00")
                    continue
                start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
            elif name in _GATE_CHOICES:
                if text not in _GATE_CHOICES[name]:
                    self.wrong(node, f"{name} is {' or '.join(_GATE_CHOICES[name])}, not {text}")
                    given.pop(name)
            elif name == "condition" and sweep:
                self.wrong(node, "a sweep rule looks at many devices, not at a reading: it has no condition")
            elif name != "condition":
                known = ("local_time", "condition", *_GATE_CHOICES)
                self.wrong(node, f"when has no {name!r}", closest(name, known))
        chosen: dict[str, Any] = {name: given[name] for name in _GATE_CHOICES if name in given}
        if not given:
            return None
        return Gate(local_from_min=start, local_to_min=end, condition=given.get("condition"), **chosen)

    def _silent(self, kind: Kind | None) -> Silent | None:
        given = self._expressions("silent")
        for name in given:
            if name not in _SILENT_KEYS:
                node = self._nodes[f"silent.{name}"]
                self.wrong(node, f"silent has no {name!r}", closest(name, _SILENT_KEYS))
        missing = _INTERVALS.fullmatch(given.get("missing", ""))
        if not missing:
            self.wrong(self._nodes["silent"], "silent needs `missing`, such as 3 intervals")
            return None
        try:
            severity = Severity(given.get("severity", "minor"))
            at_least = duration_us(given.get("at_least", "0s"))
        except ValueError as error:
            self.wrong(self._nodes["silent"], str(error))
            return None
        try:
            after = read_among(given["after"], kind) if "after" in given else None
        except RuleError as error:
            self.wrong(self._nodes["silent.after"], f"silent.after: {error.message}", error.suggestion)
            return None
        return Silent(intervals=float(missing[1]), at_least_us=at_least, severity=severity, after=after)

    def _family(self) -> str:
        """Return the family the rule belongs to; silence when it names none."""
        return next((name for name in FAMILIES if name in self._nodes), "silent")

    def _sweep(self, name: str, kind: Kind | None) -> Sweep | None:
        try:
            family = read_family(name, self._expressions(name), kind, self._kinds)
        except RuleError as error:
            node = self._nodes.get(f"{name}.{error.file}", self._nodes[name])
            self.wrong(node, error.message, error.suggestion)
            return None
        for language, template in self._expressions("summary").items():
            try:
                check(template, dict.fromkeys(FAMILIES[name].values))
            except RuleError as error:
                message = f"summary.{language}: {error.message}"
                self.wrong(self._nodes[f"summary.{language}"], message, error.suggestion)
        return family

    def located(self, definition: Definition, error: RuleError) -> RuleError:
        """Return an error of one part of the rule read last ("levels.warning") with its place in the file."""
        node = self._nodes.get(error.file)
        line, column = _place(node) if node is not None else (1, 1)
        # Within one line the column of the expression leads to the very word.
        if isinstance(node, yaml.ScalarNode) and node.start_mark.line == node.end_mark.line and error.column:
            column += error.column - 1 + (node.style in ("'", '"'))
        message = f"{definition.id}, {error.file}: {error.message}"
        return RuleError(message, file=self._file, line=line, column=column, suggestion=error.suggestion)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _plain(node: yaml.Node) -> Any:
    """Return a node as JSON values; times such as 10:30 and dates stay text."""
    if isinstance(node, yaml.MappingNode):
        return {str(_plain(key)): _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value.lower() in ("true", "yes", "on")
    return node.value


def _hold(text: str) -> Hold:
    found = _READINGS.fullmatch(text)
    if found:
        return Hold(readings=max(1, int(found[1])))
    return Hold(lasting_us=0 if text == "0" else duration_us(text))


def _gap(text: str) -> Gap:
    found = _INTERVALS.fullmatch(text)
    if found:
        return Gap(intervals=float(found[1]))
    return Gap(intervals=0.0, fixed_us=duration_us(text))
