"""The console's sentences exist in every language, and every sentence that a script asks for exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import api
from devices.texts.languages import LANGUAGES

CONSOLE = Path(api.__file__).parent / "console"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def sentences(language: str) -> dict[str, str]:
    """Return the sentences of one language."""
    found: dict[str, str] = json.loads((CONSOLE / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_exists_in_every_language_with_the_same_placeholders(language: str) -> None:
    english, other = sentences("en"), sentences(language)

    assert other.keys() == english.keys()
    for key, sentence in other.items():
        assert sentence.strip(), key
        assert set(PLACEHOLDER.findall(sentence)) == set(PLACEHOLDER.findall(english[key])), key


def test_every_sentence_that_the_page_or_a_script_names_exists() -> None:
    asked: set[str] = set()
    for script in CONSOLE.glob("*.js"):
        asked |= set(re.findall(r'\bt\("([a-z0-9_]+)"', script.read_text(encoding="utf-8")))
    page = (CONSOLE / "index.html").read_text(encoding="utf-8")
    asked |= set(re.findall(r'data-(?:text|label|placeholder)="([a-z0-9_]+)"', page))

    assert len(asked) > 30
    assert asked <= sentences("en").keys()


def test_every_sentence_is_asked_for() -> None:
    text = "".join(
        file.read_text(encoding="utf-8") for file in [*CONSOLE.glob("*.js"), CONSOLE / "index.html"]
    )
    quoted = set(re.findall(r'"([a-z0-9_]+)"', text))
    made = tuple(re.findall(r"\bt\(`(\w+_)\$", text))

    assert len(made) > 2
    unused = [key for key in sentences("en") if key not in quoted and not key.startswith(made)]
    assert unused == []


def test_console_asks_no_other_host_and_has_no_inline_script_or_style() -> None:
    for file in [*CONSOLE.glob("*.js"), *CONSOLE.glob("*.css"), *CONSOLE.glob("*.html")]:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|url\(|//[a-z]+\.", text), file.name
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|<script(?![^>]*src=)", text), file.name


def test_styles_use_logical_directions() -> None:
    physical = re.compile(r"(margin|padding|border)-(left|right)|text-align:\s*(left|right)|float:")
    for file in CONSOLE.glob("*.css"):
        assert not physical.search(file.read_text(encoding="utf-8")), file.name
