"""Rule files: YAML to definitions, every mistake collected with its file, line, column and a suggestion.

A file with any mistake is refused whole. Must not know the database; conditions are compiled once here so
that their mistakes are reported like all others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from alerts.transition import Severity
from devices.kinds import STRUCTURAL
from devices.kinds.kind import Kind
from rules.definition.definition import Definition
from rules.definition.errors import RuleError, RulesRefused
from rules.definition.lets import depending, names_in, stand_in
from rules.language.cost import check_cost
from rules.language.program import Rule, compile_rule
from rules.loading.document import root_of
from rules.loading.meaning import mistakes
from rules.loading.reader import RuleReader

PACKS = Path(__file__).parents[1] / "packs"


def read_files(paths: Iterable[Path], kinds: Mapping[str, Kind]) -> list[Definition]:
    """Return the definitions of rule files.

    Raises:
        RulesRefused: with every mistake of every file.
    """
    definitions: list[Definition] = []
    errors: list[RuleError] = []
    for path in paths:
        try:
            definitions += parse(path.read_text(encoding="utf-8"), kinds, file=str(path))
        except RulesRefused as refused:
            errors += refused.errors
        except (OSError, UnicodeDecodeError) as error:
            errors.append(RuleError(f"cannot be read: {error}", file=str(path)))
    if errors:
        raise RulesRefused(errors)
    return definitions


def default_packs(kinds: Mapping[str, Kind]) -> list[Definition]:
    """Return the rules that come with the platform, for the kinds there are."""
    names = ["any", *kinds, *STRUCTURAL]
    files = [p for name in names if (p := PACKS / f"{name}.yaml").exists()]
    number = _number(kinds)
    return [rule for p in files for rule in _accepted(p.read_text(encoding="utf-8"), number, str(p))]


def parse_stored(source: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Definition:
    """Return the definition of a rule as it is stored; the same object for the same rule.

    Sweeps read all rules every two seconds, and parsing and compiling the default ones takes half a second.

    Raises:
        RulesRefused: when this program does not understand it.
    """
    (definition,) = _accepted(json.dumps(source, ensure_ascii=False), _number(kinds), "")
    return definition


_seen: list[Mapping[str, Kind]] = []
"""Every set of kinds that this process has been given: one, but in tests."""


def _number(kinds: Mapping[str, Kind]) -> int:
    """Return a number for a set of kinds, which are no keys themselves."""
    for number, seen in enumerate(_seen):
        if seen == kinds:
            return number
    _seen.append(dict(kinds))
    return len(_seen) - 1


@lru_cache(maxsize=1024)
def _accepted(text: str, kinds_number: int, file: str) -> Sequence[Definition]:
    return tuple(parse(text, _seen[kinds_number], file=file, stored=True))


def parse(text: str, kinds: Mapping[str, Kind], *, file: str = "", stored: bool = False) -> list[Definition]:
    """Return the definitions of one YAML (or JSON) document: a list of rules, or a single one.

    Args:
        stored: it was accepted before, perhaps by an older version: what compiles is not judged anew.

    Raises:
        RulesRefused: with every mistake.
    """
    try:
        root = root_of(text, file)
    except RuleError as error:
        raise RulesRefused([error]) from None
    nodes = root.value if isinstance(root, yaml.SequenceNode) else [root] if root else []
    reader = RuleReader(kinds, file)
    definitions: list[Definition] = []
    for node in nodes:
        definition = reader.rule(node)
        if definition is not None:
            definitions.append(definition)
            try:
                check_cost(definition)
            except RuleError as error:
                reader.wrong(node, error.message)
                continue
            for kind in _judged(definition, kinds):
                if not _compile(definition, kind, reader):
                    break
            else:
                if not stored and definition.kind is not None and definition.kind in kinds:
                    for part, wrong in mistakes(definition, kinds[definition.kind]):
                        reader.errors.append(reader.located(definition, part, wrong))
    if not nodes:
        reader.wrong(None, "there is no rule in it")
    if reader.errors:
        raise RulesRefused(sorted(reader.errors, key=lambda e: (e.line, e.column)))
    return definitions


def _judged(definition: Definition, kinds: Mapping[str, Kind]) -> list[Kind]:
    """Return the kinds whose readings a rule judges."""
    if not definition.levels:
        return []
    return [kind for name, kind in kinds.items() if definition.kind in (name, None)]


def _compile(definition: Definition, kind: Kind, reader: RuleReader) -> bool:
    """Compile, and go on without each part that is wrong, so that all are reported; True if none is."""
    right = True
    remaining: Definition | None = definition
    while remaining is not None:
        try:
            compile_rule(kind, Rule(definition=remaining, version=0))
        except RuleError as error:
            reader.errors += [reader.located(definition, error.file, one) for one in (error, *error.others)]
            remaining = _without(remaining, error.file)
            right = False
        else:
            break
    return right


def _without(definition: Definition, part: str) -> Definition | None:
    """Return the definition with a valid replacement for one part, and for what uses it."""
    group, _, name = part.partition(".")
    match group:
        case "levels":
            return replace(definition, levels={**definition.levels, Severity(name): "true"})
        case "clear":
            return replace(definition, clear=None)
        case "when":
            return replace(definition, when=None)
        case "summary":
            return replace(definition, summary={**definition.summary, name: ""})
        case "let":
            if (plain := stand_in(definition.let[name])) is not None and plain != definition.let[name]:
                return replace(definition, let={**definition.let, name: plain})
            return _without_let(definition, depending(definition.let, name))
    return None


def _without_let(definition: Definition, gone: set[str]) -> Definition:
    def hit(text: str | None) -> bool:
        return text is not None and bool(names_in(text) & gone)

    gate = definition.when
    return replace(
        definition,
        let={name: text for name, text in definition.let.items() if name not in gone},
        levels={s: "true" if hit(text) else text for s, text in definition.levels.items()},
        clear=None if hit(definition.clear) else definition.clear,
        when=replace(gate, condition=None) if gate is not None and hit(gate.condition) else gate,
        summary={
            language: "" if any(f"{{{name}" in text for name in gone) else text
            for language, text in definition.summary.items()
        },
    )
