"""Dashboards have the types that Grafana's own package declares, as TypeScript's compiler sees them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.grafana import render, sdk
from devices.kinds import load
from tests.npm_packages import CannotInstall, install_into
from tests.parts import SCHEMA_PACKAGES, missing, need_node

DIRECTORY = Path(__file__).parents[2] / "grafana"
COMPILE = [
    "node", str(DIRECTORY / "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck",
    "--module", "esnext", "--moduleResolution", "bundler", "--allowImportingTsExtensions",
]  # fmt: skip
BROKEN: Mapping[str, tuple[str, str]] = {
    "a number that is a text": ('"lineWidth": 1', '"lineWidth": "thick"'),
    "a choice that is none": ('"mode": "absolute"', '"mode": "upright"'),
    "an option of nobody": ('"showHeader"', '"header"'),
    "a shape of nobody": ('"type": "geomap"', '"type": "globe"'),
    "a query of nobody": ('"rawSql"', '"sql"'),
}


def test_dashboards_have_the_types_of_grafanas_own_package(tmp_path: Path) -> None:
    need_node()
    try:
        install_into(DIRECTORY, "@grafana/schema")
    except CannotInstall as error:
        missing(SCHEMA_PACKAGES, str(error))
    for posted in (False, True):
        for board in render.all_boards(load(), languages=["en"], posted=posted):
            write(tmp_path, f"{'posted' if posted else 'sql'} {board.name}", sdk.dashboard_json(board))
    city = next(board for board in render.all_boards(load(), languages=["en"]) if board.name == "city")
    stored = json.dumps(sdk.dashboard_json(city))
    for what, (right, wrong) in BROKEN.items():
        assert right in stored
        write(tmp_path, what, json.loads(stored.replace(right, wrong)))

    done = subprocess.run(
        [*COMPILE, *map(str, sorted(tmp_path.glob("*.ts")))],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )

    faults = set(re.findall(r"([^/\n]+)\.ts\(\d+,\d+\): error", done.stdout))
    assert faults == set(BROKEN), done.stdout[:3000]


def write(directory: Path, name: str, board: Mapping[str, Any]) -> None:
    """Write a dashboard as a constant of its type."""
    text = f"import type {{ StoredDashboard }} from {json.dumps(str(DIRECTORY / 'stored.ts'))};\n"
    text += f"export const board: StoredDashboard = {json.dumps(board, ensure_ascii=False, indent=1)};\n"
    (directory / f"{name}.ts").write_text(text, encoding="utf-8")
