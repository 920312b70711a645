"""Pages that are measured and shown are all that the console has."""

from __future__ import annotations

import re
from pathlib import Path

from bench.console.pages import PAGES

ROOT = Path(__file__).parents[4]


def test_every_part_of_administration_is_looked_at() -> None:
    stage = (ROOT / "api/console/admin/stage.js").read_text(encoding="utf-8")
    parts = set(re.findall(r'\{ part: "([a-z-]+)"', stage))

    looked_at = {path.split("/")[2] for path in PAGES["administrator"].values() if path.startswith("/admin/")}

    assert len(parts) > 10
    assert parts - looked_at == set()
