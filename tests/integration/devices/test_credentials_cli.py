"""`nabd device rotate` for many devices: what it asks, whom it leaves out, what it never writes over."""

from __future__ import annotations

import csv
from pathlib import Path

from devices.credentials import scheme
from store.pool import connect
from tests.databases import run
from tests.integration.devices.test_cli import database, done, nabd

__all__ = ["database"]

TOWN = ("--municipality", "tripoli")


def add(*names: str) -> None:
    for name in names:
        title = ("--title", "=HYPERLINK(0)") if name == "BIN-1" else ()
        done("device", "add", name, "--kind", "bin", *TOWN, "--no-password", *title)


def hashes(dsn: str) -> dict[str, str]:
    """Return what is kept of each password that has not ended."""

    async def read() -> dict[str, str]:
        connection = await connect(dsn)
        try:
            rows = await connection.fetch(
                "SELECT username, password_hash FROM device_credential"
                " WHERE form = 'password' AND ends_at IS NULL"
            )
        finally:
            await connection.close()
        return {row["username"]: row["password_hash"] for row in rows}

    return run(read())


def test_the_only_copy_of_passwords_is_never_written_over(database: str, tmp_path: Path) -> None:
    add("BIN-1", "BIN-2", "urn:bin:3")
    file, sheet = tmp_path / "new.csv", tmp_path / "new.html"
    made = done("device", "rotate", *TOWN, "--missing", "--csv", str(file))
    with file.open(encoding="utf-8", newline="") as lines:
        rows = {row["device"]: row for row in csv.DictReader(lines)}
    kept = hashes(database)

    assert "1 left out" in made.err
    assert "--certificate" in made.err
    assert rows.keys() == kept.keys() == {"BIN-1", "BIN-2"}
    assert all(scheme.verify(rows[name]["password"], kept[name]) for name in rows)
    assert rows["BIN-1"]["title"].startswith("'=HYPERLINK"), "no formula for a spreadsheet"

    for option, there in (("--csv", file), ("--sheet", file)):
        again = nabd("device", "rotate", *TOWN, "--missing", option, str(there))
        assert again.code == 2
        assert "only copy" in " ".join(again.err.replace("│", " ").split())
    nothing = done("device", "rotate", *TOWN, "--missing", "--sheet", str(sheet))
    assert "No device needs one." in nothing.out
    assert not sheet.exists()
    assert hashes(database) == kept


def test_passwords_of_several_devices_end_at_once_only_after_a_yes(database: str) -> None:
    add("BIN-1", "BIN-2")
    done("device", "rotate", *TOWN)  # nothing ends
    first = hashes(database)

    refused = nabd("device", "rotate", *TOWN, stdin="n\n")
    assert (refused.code, hashes(database)) == (1, first)
    assert "2 devices are out" in refused.err
    done("device", "rotate", "BIN-1")  # one is no accident
    one = hashes(database)
    assert one["BIN-1"] != first["BIN-1"]
    done("device", "rotate", *TOWN, "--overlap", "1h")
    both = hashes(database)
    assert both["BIN-2"] != one["BIN-2"]
    assert nabd("device", "rotate", "BIN-1", "BIN-2", stdin="y\n").code == 0
    third = hashes(database)
    done("device", "rotate", *TOWN, "--yes")
    assert not set(third.values()) & set(hashes(database).values())
