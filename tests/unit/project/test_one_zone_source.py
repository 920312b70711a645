"""The clocks of time zones come from one place."""

from pathlib import Path

ROOT = Path(__file__).parents[3]
MAY = {
    "devices/time_zones.py": "the pinned package",
    "nabd/doctor/clocks.py": "compares the machine's with it",
}


def test_nobody_else_opens_the_machines_zone_files() -> None:
    sources = (p for room in ROOT.iterdir() if (room / "__init__.py").exists() for p in room.rglob("*.py"))
    opening = {
        str(path.relative_to(ROOT))
        for path in sources
        if "ZoneInfo(" in (text := path.read_text(encoding="utf-8")) or "ZoneInfo.from_file" in text
    }
    assert {name for name in opening if not name.startswith("tests/")} == set(MAY)
