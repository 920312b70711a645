"""Every check of doctor has its title, what it finds and what to do in every language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from devices.texts.catalogue import plural, text
from devices.texts.languages import LANGUAGES, Language
from devices.texts.translated import say
from nabd.doctor.check import bad
from nabd.doctor.codes import CODES

ROOT = Path(__file__).parents[3]
FILES = [
    *sorted((ROOT / "nabd/doctor").rglob("*.py")),
    ROOT / "nabd/broker/queue.py",
    ROOT / "api/routes/administration/system.py",
]
NAMES = {"TimescaleDB", "HTTPS"}
"""Titles that are the same in every language."""
VALUES_ALONE = re.compile(r"(\{\w+\}|\W)+")


def sentences() -> Iterator[tuple[str, set[str]]]:
    """Yield key and values of every sentence that a check says."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "say":
                key = node.args[0]
                values = {str(one.arg) for one in node.keywords}
                if isinstance(key, ast.Constant):
                    yield str(key.value), values


def template(language: Language, key: str, values: set[str]) -> str:
    """Return a text with its placeholders as they are."""
    kept = {name: f"{{{name}}}" for name in values - {"n"}}
    return plural(language, key, 21, **kept) if "n" in values else text(language, key, **kept)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_has_a_title_in_every_language(language: Language) -> None:
    for subject in CODES:
        told = bad(subject, say("check.wait"), say("check.wait")).in_language(language)
        assert not told.title.startswith("check."), subject
        if language == "ar" and told.title not in NAMES:
            assert re.search("[\u0621-\u064a]", told.title), subject


def test_every_sentence_is_said_in_every_language_with_its_values() -> None:
    found = list(sentences())

    assert len({key for key, _ in found}) > 200
    for key, values in found:
        said = {language: template(language, key, values) for language in LANGUAGES}
        assert key not in said.values(), f"{key} has no text"
        named = {name for _, name, _, _ in Formatter().parse(said["en"]) if name}
        assert named == values - {"n"}, key
        if not VALUES_ALONE.fullmatch(said["en"]):
            assert re.search("[\u0621-\u064a]", said["ar"]), f"{key} is not in Arabic"


def test_commands_and_names_keep_their_direction_in_arabic() -> None:
    told = bad("shard", say("check.wait"), say("check.add_shard", shard="شمال")).in_language("ar")

    assert "\u2066`nabd shard add شمال`\u2069" in told.fix, "what is copied has nothing invisible in it"
    backup = say("check.begin_backups").in_language("ar")
    assert backup.endswith("كل ليلة: \u2066docs/backup.md\u2069")
    assert "`nabd device edit NAME --lat … --lon …`\u2069" in say("check.place_device").in_language("ar")
    assert told.fix.count("\u2066") == told.fix.count("\u2069")
    assert "\u2066" not in bad("disk", say("check.wait"), say("check.make_room")).in_language("fr").fix
