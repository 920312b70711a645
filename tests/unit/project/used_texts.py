"""Which texts the code asks for: syntax trees of Python, calls of t and tn in scripts, marks in pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

KEY = re.compile(r"([a-z]+)\.[a-z0-9_-]+")
HEAD = re.compile(r"([a-z]+)\.[a-z0-9_-]*")
CALLS = re.compile(r"(?<![\w$.])(?<!function )(?:i18n\.)?(tn?)\(")
PAGE = re.compile(r'data-(?:text|label|placeholder)="(\w+)"')
MARK = re.compile(r"\{\{(\w+) ([\w.]+)\}\}")
DATASET = re.compile(r"element\.dataset\.(text|label|placeholder)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextUse:
    """A place that asks for a text. family: `key` is only the beginning, the rest is known when it runs.

    plural: whether for a form that fits a number; None where the place does not show it.
    """

    key: str
    place: str
    family: bool = False
    plural: bool | None = None


class UnclearUse(Exception):
    """A call whose text cannot be told from the source."""


def in_python(source: str, place: str, groups: set[str]) -> Iterator[TextUse]:
    """Return the uses of a module: keys it holds anywhere, of groups that exist, and whatever it asks for."""
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("text", "plural")
        ):
            yield from _asked(node, place)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = KEY.fullmatch(node.value)
            if found and found[1] in groups:
                yield TextUse(key=node.value, place=place)
        elif isinstance(node, ast.JoinedStr):
            found = HEAD.fullmatch(_beginning(node))
            if found and found[1] in groups:
                yield TextUse(key=found[0], place=place, family=True)


def _asked(call: ast.Call, place: str) -> Iterator[TextUse]:
    key = call.args[1] if len(call.args) > 1 else None
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        yield TextUse(key=key.value, place=place, plural=ast.unparse(call.func) == "plural")
    if isinstance(key, ast.JoinedStr) and not HEAD.fullmatch(_beginning(key)):
        raise UnclearUse(f"{place}: {ast.unparse(call)}")


def _beginning(node: ast.JoinedStr) -> str:
    first = node.values[0] if node.values else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def in_script(source: str, place: str) -> Iterator[TextUse]:
    """Return the uses of a script; each call has a text, a template, or a choice between such.

    Raises:
        UnclearUse: a call has something else.
    """
    for call in CALLS.finditer(source):
        argument = _first_argument(source, call.end())
        if DATASET.fullmatch(argument):
            continue
        for result in _results(argument):
            text, template = re.fullmatch(r'"(\w+)"', result), re.fullmatch(r"`(\w+_)\$\{[^}]*\}`", result)
            found = text or template
            if found is None:
                raise UnclearUse(f"{place}: {call[0]}{argument}")
            yield TextUse(key=found[1], place=place, family=text is None, plural=call[1] == "tn")


def in_page(source: str, place: str) -> Iterator[TextUse]:
    """Return the texts that the console puts into a page."""
    for found in PAGE.finditer(source):
        yield TextUse(key=found[1], place=place, plural=False)


def marks_in_page(source: str, place: str) -> Iterator[tuple[str, TextUse]]:
    """Return language and use of each text that the server puts into a page."""
    for found in MARK.finditer(source):
        yield found[1], TextUse(key=found[2], place=place, plural=False)


def _first_argument(source: str, start: int) -> str:
    """Return what stands between an opening bracket and the comma or bracket that ends the first argument."""
    end = next(i for i, character in _outside(source, start) if character in ",)")
    return source[start:end].strip()


def _results(expression: str) -> list[str]:
    """Return what a chain of `condition ? one : other` can come to."""
    question = next((i for i, character in _outside(expression, 0) if _asks(expression, i, character)), None)
    if question is None:
        return [expression.strip()]
    colon = next(i for i, character in _outside(expression, question + 1) if character == ":")
    return [expression[question + 1 : colon].strip(), *_results(expression[colon + 1 :])]


def _asks(expression: str, i: int, character: str) -> bool:
    return character == "?" and expression[i - 1] != "?" and expression[i + 1] not in "?."


def _outside(source: str, start: int) -> Iterator[tuple[int, str]]:
    """Return the characters outside of texts and brackets, those that close an outer bracket included."""
    depth, i = 0, start
    while i < len(source):
        character = source[i]
        if character in "\"'`":
            i = source.index(character, i + 1)
        elif character in "([{":
            depth += 1
        elif character in ")]}" and depth:
            depth -= 1
        elif depth == 0:
            yield i, character
        i += 1
