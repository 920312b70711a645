"""`make sbom`: what Nabd is made of, with everything that is pinned or shipped; it stays the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_list_has_every_pinned_package_and_every_library_of_the_console(tmp_path: Path) -> None:
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    for target in (first, again):
        made = subprocess.run(
            [sys.executable, ROOT / "scripts/sbom", target], capture_output=True, check=False
        )
        assert made.returncode == 0, made.stderr  # CycloneDX's own schema takes it

    bom = json.loads(first.read_text())
    listed = {one["purl"]: one for one in bom["components"]}
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    vendored = json.loads((ROOT / "api/console/vendor/vendor.json").read_text())
    assert {one.partition("@")[0] for one in listed} == {
        f"pkg:pypi/{re.sub(r'[._]', '-', name).lower()}" for name, _ in pins
    } | {f"pkg:npm/{one['name']}" for one in vendored}
    assert all(one["hashes"] for purl, one in listed.items() if "pypi" in purl)
    assert {one["scope"] for one in listed.values()} == {"required", "optional", "excluded"}
    asyncpg = next(one for purl, one in listed.items() if purl.startswith("pkg:pypi/asyncpg@"))
    assert (asyncpg["scope"], bool(asyncpg["licenses"])) == ("required", True)
    assert first.read_bytes() == again.read_bytes()
