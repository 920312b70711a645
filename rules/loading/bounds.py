"""How large, deep and costly the text of rules may be, told before anything parses or compiles it.

Must not know what rules mean.
"""

from __future__ import annotations

import re

import yaml

from devices.nesting import MAX_DEPTH, is_too_deep
from rules.definition.errors import RuleError

MOST_BYTES = 256 * 1024
MOST_NODES = 20_000
"""Scalars, lists and mappings of one text."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Flow style nests by brackets; a scanner of YAML takes time that grows with the square of their number.
_COMPACT = re.compile(r"(?:[-?][ \t]+){" + str(MAX_DEPTH + 1) + "}")


def check_text(text: str) -> None:
    """Refuse a text that is too large, nests too deeply, repeats itself, or holds what nobody can keep.

    Raises:
        RuleError: with its place where it has one.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise RuleError(f"the text has {size} bytes, at most {MOST_BYTES} are read")
    if found := _CONTROL.search(text):
        before = text[: found.start()]
        code = f"U+{ord(found[0]):04X}"
        raise RuleError(
            f"the character {code} cannot be kept: take it out",
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
        )
    if is_too_deep(text) or _COMPACT.search(text):
        raise RuleError(f"the text nests deeper than {MAX_DEPTH} levels")
    _check_events(text)


def check_nodes(root: yaml.Node | None) -> None:
    """Refuse escapes of what nobody can keep; pairs of them that make one character become that character.

    Raises:
        RuleError: with its place.
    """
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            _check_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]


def _check_scalar(node: yaml.ScalarNode) -> None:
    # JSON writes a character beyond U+FFFF as two escapes, which YAML takes for two characters.
    if _SURROGATE.search(node.value):
        node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if found := _CONTROL.search(node.value):
        raise RuleError(
            f"the character U+{ord(found[0]):04X} cannot be kept: take it out",
            line=node.start_mark.line + 1,
            column=node.start_mark.column + 1,
        )


def _check_events(text: str) -> None:
    level = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                # A few lines of aliases can grow into gigabytes.
                raise _at(event, "write each part out: aliases such as *name are not taken here")
            nodes += isinstance(event, yaml.NodeEvent)
            level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if level > MAX_DEPTH:
                raise _at(event, f"the text nests deeper than {MAX_DEPTH} levels")
            if nodes > MOST_NODES:
                raise _at(event, f"the text has more than {MOST_NODES} parts")
    except yaml.YAMLError:
        return  # told with its place by whoever reads it next


def _at(event: yaml.Event, message: str) -> RuleError:
    mark = event.start_mark
    return RuleError(message, line=mark.line + 1, column=mark.column + 1) if mark else RuleError(message)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
