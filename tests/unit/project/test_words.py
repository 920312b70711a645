"""One word, one thing: names of public classes are unique, and their nouns are in docs/glossary.md."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    "alerts",
    "api",
    "bench",
    "devices",
    "firmware_sim",
    "ingest",
    "nabd",
    "notify",
    "people",
    "readings",
    "rules",
    "store",
    "work",
)

TWICE: dict[str, str] = {}
"""Public classes that share a name, each with the reason why no other name would do."""

PARTS_OF_SPEECH = """
What a class is to the program: error in out options type new.
Small words: a not no with of one every over too many.
What happened to a thing or what it is like, where the noun beside it is the word: accepted active
changed comparable counted numbered outstanding translated tried
added already apart apply bad bounded collected compiled completed configured connect dated decided decoded
derived down embedded
encoded exists failed fed fenced filling found generic good installed invalid issued labelled
large last lasting left live lived loaded local long made max
measured migrated misplaced moved open opened paced pending planned put queued rare raw receive received
readable recognised recorded refreshed refused relayed resting restored rough scaled sealed sent simulated
saved staged stopped surrounded surrounding swept told traced unavailable understood unreadable usual outdated
verified current doubtful learned logarithmic phased wordless.
"""
GRAMMAR = frozenset(word for line in re.findall(r": ([a-z\s]+)\.", PARTS_OF_SPEECH) for word in line.split())
"""Parts of class names that are no nouns of ours."""


def public_classes() -> Iterator[tuple[str, str]]:
    """Yield name and module of every public class."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    yield node.name, module


def words(name: str) -> list[str]:
    """Return the nouns of a CamelCase name in the singular: "StoredRows" has "row"."""
    found = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]+", name)]
    return [singular(word) for word in found if word not in GRAMMAR]


def singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def rows_of_the_glossary() -> list[list[str]]:
    """Return the cells of every row: what to say, what it means, what not to say."""
    lines = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in rows if row[0] != "say"]


def test_names_of_public_classes_are_unique_or_justified() -> None:
    modules = defaultdict(list)
    for name, module in public_classes():
        modules[name].append(module)

    assert {name: found for name, found in modules.items() if len(found) > 1 and name not in TWICE} == {}
    assert {name for name in TWICE if len(modules[name]) < 2} == set(), "justified, and not needed any more"


def test_nouns_of_public_class_names_are_in_the_glossary() -> None:
    said = {
        singular(word) for row in rows_of_the_glossary() for word in re.findall(r"[a-z]+", row[0].lower())
    }
    missing = defaultdict(list)
    for name, module in public_classes():
        for word in words(name):
            if word not in said:
                missing[word].append(f"{module}.{name}")

    assert missing == {}, "add a line to docs/glossary.md, or choose a word that is there"


def test_glossary_says_what_each_word_means_and_has_no_line_twice() -> None:
    rows = rows_of_the_glossary()

    assert [row for row in rows if len(row) != 3 or not row[1]] == []
    terms = [row[0] for row in rows]
    assert [term for term in terms if terms.count(term) > 1] == []
