"""One rule file as YAML nodes to definitions: keys, values and shapes, each mistake with line and column.

Must not know how conditions are compiled (rules.loading.files does that) or the database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from alerts.transition import Severity
from devices import verify_span
from devices.kinds import STRUCTURAL
from devices.kinds.kind import Kind
from devices.texts.languages import LANGUAGES
from devices.verify_span import VerificationSpan
from rules.definition import spans
from rules.definition.conclusions import with_conclusions
from rules.definition.definition import (
    ID,
    SETTLE_US,
    Definition,
    Gate,
    Hold,
    MaxGap,
    Silent,
    WorkDemand,
)
from rules.definition.durations import duration_us, intervals, meant
from rules.definition.errors import RuleError, closest
from rules.definition.families import Sweep
from rules.definition.family_syntax import FAMILIES, read_family
from rules.definition.family_values import severity
from rules.definition.one_of import read_one_of, read_state
from rules.definition.summary import check
from rules.loading.nodes import RuleNodes, plain

_SHARED = ["id", "kind", "summary", "suppress_by", "settle", "when", "route", "runbook", "work"]
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
_SILENT_KEYS = ("missing", "at_least", "severity", "after", "after_state", "of")
_SILENT_OF = ("heard", "refused", "never")
_GATE_CHOICES = {"days": ("weekend", "workdays"), "sun": ("day", "night"), "maintenance": ("rest", "look")}
_WORK_KEYS = ("make", "from", "verify_within")
_ATTRIBUTE = re.compile(r"\battr\(\s*(\w+)")


class RuleReader(RuleNodes):
    """Reads the rules of one file and collects what is wrong."""

    def __init__(self, kinds: Mapping[str, Kind], file: str) -> None:
        super().__init__(file)
        self._kinds = kinds
        self._ids: set[str] = set()

    def rule(self, node: yaml.Node) -> Definition | None:
        """Return one definition, None when it is too incomplete; mistakes are added to `errors`."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, "a rule is a list of keys such as id, kind, summary, levels")
            return None
        self._nodes = self._parts(node)
        sweep = "family" in self._nodes or any(name in self._nodes for name in _SWEEP_FAMILIES)
        complete = self._check_keys(node, _SWEEP_KEYS if sweep else _STREAM_KEYS, sweep)
        return self._build(node, sweep) if complete else None

    def _check_keys(self, node: yaml.MappingNode, allowed: list[str], sweep: bool) -> bool:
        """Add unknown and missing keys as mistakes; tell whether there is enough to check the others."""
        for key, _ in node.value:
            name = str(getattr(key, "value", ""))
            if name not in allowed:
                self._unknown(key, f"a rule has no key {name!r}", name, allowed)
        family = self._family()
        kind = ["kind"] if family in FAMILIES else []
        needed = [*kind, family] if sweep else ["kind", "levels"]
        for name in ("id", "summary", *needed):
            if name not in self._nodes:
                self.wrong(node, f"{name} is missing")
        return all(name in self._nodes for name in needed)

    def _build(self, node: yaml.Node, sweep: bool) -> Definition:
        kind = self._text("kind")
        family = self._family()
        structural = family in FAMILIES and FAMILIES[family].structural
        known = STRUCTURAL if structural else [*self._kinds, "any"]
        if kind is not None and kind not in known:
            meant = closest(kind, known)
            self.wrong(self._nodes["kind"], f"there is no kind {kind}", meant)
            kind = meant or kind
        if self._text("family") not in (None, "sweep"):
            self.wrong(self._nodes["family"], f"family is sweep, not {self._text('family')}", "sweep")
        hold = self._read("for", spans.hold, Hold())
        definition = Definition(
            id=self._id(),
            kind=None if kind == "any" else kind,
            summary=self._sentences("summary", needed=True),
            runbook=self._sentences("runbook", needed=False),
            levels=self._levels(),
            let=self._expressions("let"),
            labels=self._labels(plain(node)),
            clear=self._text("clear"),
            hold=hold,
            keep_firing=self._read("keep_firing", spans.hold, hold),
            max_gap=self._read("max_gap", spans.gap, MaxGap()),
            when=self._gate(sweep),
            suppress_by=self._texts("suppress_by"),
            settle_us=self._read("settle", duration_us, SETTLE_US),
            late=self._choice("late", ("record", "raise"), "record"),
            use_suspect=self._choice("use_suspect", (False, True), False),
            route=self._text("route") or "",
            work=self._work(),
            silent=self._silent(self._kinds.get(kind or "")) if sweep and "silent" in self._nodes else None,
            sweep=self._sweep(family, self._kinds.get(kind or "")) if family in FAMILIES else None,
            source=plain(node),
        )
        judged = self._kinds.get(kind or "")
        return definition if judged is None else with_conclusions(definition, judged)

    def _id(self) -> str:
        found = self._text("id") or ""
        if "id" not in self._nodes:
            return found
        if not ID.fullmatch(found):
            self.wrong(self._nodes["id"], f"{found!r}: an id is a-z, 0-9 and -, a letter first, at most 63")
        elif found.startswith("external-"):
            self.wrong(self._nodes["id"], f"{found}: ids with external- are those of other systems' alerts")
        elif found in self._ids:
            self.wrong(self._nodes["id"], f"{found} is the id of an earlier rule")
        self._ids.add(found)
        return found

    def _sentences(self, name: str, *, needed: bool) -> dict[str, str]:
        sentences = self._expressions(name)
        for key, _ in self._mapping(name):
            if key.value not in LANGUAGES:
                message = f"{name} is in {', '.join(LANGUAGES)}, not {key.value}"
                self.wrong(key, message, closest(key.value, LANGUAGES))
        for language in LANGUAGES:
            if ((name in self._nodes and needed) or sentences) and language not in sentences:
                self.wrong(self._nodes.get(name), f"{name} has no {language}")
        return sentences

    def _labels(self, rule: object) -> dict[str, dict[str, str]]:
        """Return what readers see instead of the names of `let`, and of attributes the rule asks for."""
        node = self._nodes.get("labels")
        found: dict[str, dict[str, str]] = plain(node) if isinstance(node, yaml.MappingNode) else {}
        if node is not None and not found:
            self.wrong(node, "labels is a list of names of `let` or attributes, each in en, fr and ar")
        names = [*self._let_names(), *_ATTRIBUTE.findall(str(rule))]
        for name, label in found.items():
            if name not in names:
                self.wrong(node, f"labels: no `let` or attribute is called {name}", closest(name, names))
            elif not isinstance(label, dict) or set(label) != set(LANGUAGES):
                self.wrong(node, f"labels: {name} is in {', '.join(LANGUAGES)}")
        return found

    def _let_names(self) -> list[str]:
        return [name.partition(".")[2] for name in self._nodes if name.startswith("let.")]

    def _levels(self) -> dict[Severity, str]:
        levels: dict[Severity, str] = {}
        unknown: dict[str, yaml.ScalarNode] = {}
        for key, value in self._mapping("levels"):
            if key.value in set(Severity):
                levels[Severity(key.value)] = str(value.value)
            else:
                self.wrong(key, f"{key.value} is not a severity", closest(key.value, Severity))
                unknown[key.value] = value
        # Their conditions are checked too, under the name that was meant, or one that is free.
        for name in sorted(unknown, key=lambda name: closest(name, Severity) is None):
            free = [s for s in Severity if s not in levels]
            if free:
                meant = Severity(closest(name, free) or free[0])
                levels[meant] = str(unknown[name].value)
                self._nodes[f"levels.{meant}"] = unknown[name]
        if "levels" in self._nodes and not levels:
            self.wrong(self._nodes["levels"], "levels has at least one severity with its condition")
        return levels

    def _gate(self, sweep: bool) -> Gate | None:
        given = self._expressions("when")
        start: int | None = None
        end: int | None = None
        for name, text in list(given.items()):
            node = self._nodes[f"when.{name}"]
            if name == "local_time":
                span = self._read("when.local_time", _span, None)
                start, end = span or (None, None)
            elif name in _GATE_CHOICES:
                choices = _GATE_CHOICES[name]
                if text not in choices:
                    message = f"{name} is {' or '.join(choices)}, not {text}"
                    self.wrong(node, message, closest(text, choices))
                    given.pop(name)
            elif name == "condition" and sweep:
                self.wrong(node, "a sweep rule looks at many devices, not at a reading: it has no condition")
            elif name != "condition":
                known = ("local_time", "condition", *_GATE_CHOICES)
                self._unknown(node, f"when has no {name!r}", name, known, "when.")
                if "when.condition" in self._nodes:
                    given.setdefault("condition", text)
        chosen: dict[str, Any] = {name: given[name] for name in _GATE_CHOICES if name in given}
        if not given:
            return None
        return Gate(local_from_min=start, local_to_min=end, condition=given.get("condition"), **chosen)

    def _work(self) -> WorkDemand:
        for key, _ in self._mapping("work"):
            if key.value not in _WORK_KEYS:
                self._unknown(key, f"work has no {key.value!r}", key.value, _WORK_KEYS, "work.")
        make = self._choice("work.make", (True, False), False)
        least = self._read("work.from", severity, Severity.WARNING)
        if "work.from" in self._nodes and not make:
            self.wrong(self._nodes["work.from"], "work.from is for rules that make work", "make: true")
        return WorkDemand(
            from_severity=least if make else None,
            verify_within=self._read("work.verify_within", _verify_span, None),
        )

    def _silent(self, kind: Kind | None) -> Silent | None:
        given = self._expressions("silent")
        for name in given:
            if name not in _SILENT_KEYS:
                node = self._nodes[f"silent.{name}"]
                self.wrong(node, f"silent has no {name!r}", closest(name, _SILENT_KEYS))
        if "missing" not in given:
            self.wrong(self._nodes["silent"], "silent needs `missing`, such as 3 intervals")
        return Silent(
            intervals=self._read("silent.missing", intervals, 0.0),
            at_least_us=self._read("silent.at_least", duration_us, 0),
            severity=self._read("silent.severity", severity, Severity.MINOR),
            after=self._read("silent.after", lambda text: read_one_of(text, kind), None),
            after_state=self._read("silent.after_state", lambda text: read_state(text, kind), None),
            of=self._read("silent.of", _silent_of, "heard"),
        )

    def _family(self) -> str:
        """Return the family the rule belongs to; silence when it names none."""
        return next((name for name in FAMILIES if name in self._nodes), "silent")

    def _sweep(self, name: str, kind: Kind | None) -> Sweep | None:
        family = None
        try:
            family = read_family(name, self._expressions(name), kind, self._kinds)
        except RuleError as first:
            for error in (first, *first.others):
                node = self._nodes.get(f"{name}.{error.file}", self._nodes[name])
                self.wrong(node, error.message, error.suggestion)
        for language, template in self._expressions("summary").items():
            try:
                check(template, dict.fromkeys(FAMILIES[name].values))
            except RuleError as error:
                message = f"summary.{language}: {error.message}"
                self.wrong(self._nodes[f"summary.{language}"], message, error.suggestion)
        return family


def _silent_of(text: str) -> Any:
    if text not in _SILENT_OF:
        raise RuleError(f"of is {' or '.join(_SILENT_OF)}, not {text}", suggestion=closest(text, _SILENT_OF))
    return text


def _verify_span(text: str) -> VerificationSpan | None:
    try:
        return verify_span.parse(text)
    except ValueError as error:
        raise RuleError(str(error), suggestion=meant(text, ["nights", "intervals"])) from None


def _span(text: str) -> tuple[int, int] | None:
    return spans.local_time(text)
