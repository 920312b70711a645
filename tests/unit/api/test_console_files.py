"""What must be true of every file of the console."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

import api
from api.http import assets
from tests.parts import need_node

CONSOLE = Path(api.__file__).parent / "console"
VENDOR = CONSOLE / "vendor"
# A link that a reader may follow; the page itself asks nothing there.
FOLLOWED = "https://www.openstreetmap.org/directions"


def test_console_asks_no_other_host_and_has_no_inline_script_or_style() -> None:
    for file in [*CONSOLE.rglob("*.js"), *CONSOLE.rglob("*.css"), *CONSOLE.rglob("*.html")]:
        if file.parent == VENDOR:
            continue
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        text = text.replace(FOLLOWED, "")
        assert not re.search(r"https?://|@import|url\(|//[a-z]+\.", text), file.name
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|<script(?![^>]*src=)", text), file.name


@pytest.mark.parametrize("room", assets.PAGES)
def test_page_asks_for_the_modules_and_styles_that_it_needs_at_once(room: str) -> None:
    files = assets.load()
    page = files[assets.page_of(room)].body.decode()

    asked = re.findall(r'<link rel="modulepreload" href="/console/([^"]+)">', page)
    styles = re.findall(r'<link rel="stylesheet" href="/console/([^"]+)">', page)

    assert {f"{room}/main.js", "shell/frame.js", "shell/i18n.js"} <= set(asked) <= set(files)
    assert not [path for path in asked if path.startswith("vendor/")], "libraries come when they are needed"
    assert styles[:2] == ["shell/base.css", "shell/parts.css"]
    assert f"{room}/{room}.css" in styles
    assert "<!--" not in page


def test_libraries_are_what_their_packages_have() -> None:
    packages = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))
    said = {name: file["sha256"] for package in packages for name, file in package["files"].items()}

    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDOR.iterdir()
        if file.name != "vendor.json"
    }

    assert found == said
    for package in packages:
        assert any("LICENSE" in name for name in package["files"]), package["name"]


def test_styles_use_logical_directions() -> None:
    physical = re.compile(r"(margin|padding|border)-(left|right)|text-align:\s*(left|right)|float:")
    for file in CONSOLE.rglob("*.css"):
        if file.parent == VENDOR:
            continue
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
        f"import {{ breaks }} from {json.dumps((CONSOLE / 'shell/series.js').as_uri())};"
        f"console.log(breaks({json.dumps(measurement)}, {{value: {before}}}, {{value: {now}}}))"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )

    assert said.stdout.strip() == str(breaks).lower()


@pytest.mark.parametrize(
    ("written", "lebanese", "libyan"),
    [
        (
            "الحاوية bin-7 ممتلئة بنسبة 91.5٪ منذ 02:30",
            "الحاوية bin-7 ممتلئة بنسبة ٩١٫٥٪ منذ ٠٢:٣٠",
            "الحاوية bin-7 ممتلئة بنسبة 91,5٪ منذ 02:30",
        ),
        ("1250 من 3.20 V، M4 وv2.1", "١٢٥٠ من ٣٫٢٠ V، M4 وv2.1", "1250 من 3,20 V، M4 وv2.1"),
        ("من 2026-11-30T07:00 إلى 5", "من 2026-11-30T07:00 إلى ٥", "من 2026-11-30T07:00 إلى 5"),
    ],
)
def test_numbers_of_a_sentence_are_written_in_the_readers_digits_and_ids_are_not(
    written: str, lebanese: str, libyan: str
) -> None:
    need_node()
    script = (
        "globalThis.navigator ??= { languages: [] }; globalThis.document = { documentElement: {} };"
        "globalThis.fetch = async () => ({ ok: true, json: async () => ({ language: 'ar', locale: 'ar' }) });"
        f"const i18n = await import({json.dumps((CONSOLE / 'shell/i18n.js').as_uri())});"
        "const said = async (locale) => { await i18n.use('queue', 'ar'); i18n.place({ locale });"
        f" return i18n.numerals({json.dumps(written)}); }};"
        "console.log(JSON.stringify([await said('ar-LB'), await said('ar-LY')]))"
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script], check=True, capture_output=True, text=True, timeout=30
    )

    assert json.loads(said.stdout) == [lebanese, libyan]
