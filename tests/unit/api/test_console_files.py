"""What must be true of every file of the console."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import api
from api.http import assets
from tests.parts import need_node

CONSOLE = Path(api.__file__).parent / "console"


def test_console_asks_no_other_host_and_has_no_inline_script_or_style() -> None:
    for file in [*CONSOLE.rglob("*.js"), *CONSOLE.rglob("*.css"), *CONSOLE.rglob("*.html")]:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|@import|url\(|//[a-z]+\.", text), file.name
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|<script(?![^>]*src=)", text), file.name


def test_page_asks_for_every_module_at_once() -> None:
    page = assets.load()["index.html"].body.decode()

    asked = re.findall(r'<link rel="modulepreload" href="/console/([^"]+)">', page)
    assert asked == sorted(file.relative_to(CONSOLE).as_posix() for file in CONSOLE.rglob("*.js"))


def test_styles_use_logical_directions() -> None:
    physical = re.compile(r"(margin|padding|border)-(left|right)|text-align:\s*(left|right)|float:")
    for file in CONSOLE.glob("*.css"):
        assert not physical.search(file.read_text(encoding="utf-8")), file.name


@pytest.mark.parametrize(
    ("measurement", "before", "now", "breaks"),
    [
        ({"circular": True, "low": 0, "high": 360}, 359, 1, True),
        ({"circular": True, "low": 0, "high": 360}, 10, 170, False),
        ({"counter": True}, 10.5, 0.2, True),
        ({"counter": True}, 10.5, 11, False),
        ({}, 100, 0, False),
    ],
)
def test_charts_draw_no_line_across_the_end_of_a_turn_or_a_reset(
    measurement: dict[str, object], before: float, now: float, breaks: bool
) -> None:
    need_node()
    script = (
        f"import {{ breaks }} from {json.dumps((CONSOLE / 'device/chart.js').as_uri())};"
        f"console.log(breaks({json.dumps(measurement)}, {{value: {before}}}, {{value: {now}}}))"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )

    assert said.stdout.strip() == str(breaks).lower()
