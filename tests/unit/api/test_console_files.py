"""What must be true of every file of the console."""

from __future__ import annotations

import re
from pathlib import Path

import api

CONSOLE = Path(api.__file__).parent / "console"


def test_console_asks_no_other_host_and_has_no_inline_script_or_style() -> None:
    for file in [*CONSOLE.glob("*.js"), *CONSOLE.glob("*.css"), *CONSOLE.glob("*.html")]:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|url\(|//[a-z]+\.", text), file.name
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|<script(?![^>]*src=)", text), file.name


def test_styles_use_logical_directions() -> None:
    physical = re.compile(r"(margin|padding|border)-(left|right)|text-align:\s*(left|right)|float:")
    for file in CONSOLE.glob("*.css"):
        assert not physical.search(file.read_text(encoding="utf-8")), file.name
