"""The registry's commands as a person or a script runs them, against a real database and broker."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from devices import kinds
from devices.commands.answered import record_response
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from nabd import clock
from nabd.cli.device import app as device_app
from nabd.cli.devices.firmware import app as firmware_app
from nabd.cli.devices.requests import app as requests_app
from nabd.cli.devices.rollouts import app as rollouts_app
from nabd.cli.ledger import show as show_ledger
from nabd.cli.municipality import app as municipality_app
from nabd.cli.people.user import app as user_app
from nabd.cli.rejections import rejections as rejections_command
from readings import ledger, rejections
from store.audit import PLATFORM
from store.pool import connect
from tests.databases import run
from tests.integration.readings.test_ledger import BATCH
from tests.integration.readings.test_rejections import MALFORMED, STRANGER
from tests.unit.devices.ground.files import EAST, STREET, WEST, feature, file
from tests.waiting import eventually

app = typer.Typer()
app.add_typer(device_app, name="device")
app.add_typer(municipality_app, name="municipality")
app.add_typer(user_app, name="user")
app.add_typer(requests_app, name="command-request")
app.add_typer(firmware_app, name="firmware")
app.add_typer(rollouts_app, name="rollout")
app.command()(rejections_command)
app.command(name="ledger")(show_ledger)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def nabd(*arguments: str, stdin: str | None = None) -> Done:
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(code=result.exit_code, out=result.stdout, err=result.stderr)


def done(*arguments: str) -> Done:
    """Run a command that is to succeed."""
    result = nabd(*arguments)
    assert result.code == 0, result
    return result


@pytest.fixture
def database(dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with tripoli in it, which commands find in their environment."""
    monkeypatch.setenv("NABD_DATABASE", dsn)
    done("municipality", "add", "tripoli", "--title", "ar=طرابلس", "--time-zone", "Asia/Beirut")
    return dsn


def reject(dsn: str, *rows: rejections.NewRejection) -> None:
    """Store rejections as ingest would."""

    async def record() -> None:
        connection = await connect(dsn)
        await rejections.record(connection, "main", 1, rows)
        await connection.close()

    run(record())


def add_bin(name: str = "B-1", *more: str) -> Done:
    return nabd("device", "add", name, "--kind", "bin", "--municipality", "tripoli", *more)


def test_device_is_added_shown_edited_retired_and_listed(database: str) -> None:
    assert add_bin("B-1", "--attr", "volume_l=660", "--lat", "34.4", "--lon", "35.8").code == 0
    done("device", "edit", "B-1", "--title", "ساحة", "--attr", "volume_l=", "--attr", "route=R1")
    done("device", "retire", "B-1", "--reason", "burnt")

    (shown,) = done("device", "show", "B-1", "--json").documents
    (listed,) = done("device", "list", "--retired", "--json").documents

    assert shown["latest"] is None
    assert shown["device"] == listed
    assert (listed["title"], listed["attributes"], listed["retired_reason"]) == (
        "ساحة",
        {"route": "R1"},
        "burnt",
    )
    assert "ساحة" in done("device", "list", "--retired").out
    assert "burnt" in done("device", "show", "B-1").out


def test_reinstated_device_is_back_in_the_list(database: str) -> None:
    add_bin()
    done("device", "retire", "B-1", "--reason", "burnt")

    done("device", "edit", "B-1", "--reinstate")

    assert [d["name"] for d in done("device", "list", "--json").documents] == ["B-1"]


def test_refusal_is_one_line_that_names_the_fix(database: str) -> None:
    add_bin()

    again = add_bin()
    wrong = nabd("device", "add", "B-2", "--kind", "bim", "--municipality", "tripoli")

    assert (again.code, again.out, again.err.count("\n")) == (1, "", 1)
    assert "nabd device edit" in again.err
    assert "did you mean 'bin'" in wrong.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("device", "edit", "B-1"),
        ("device", "edit", "B-1", "--parent", "G", "--no-parent"),
        ("device", "edit", "B-1", "--attr", "volume"),
        ("rejections", "--replay"),
        ("ledger", "--since", "yesterday"),
        ("ledger", "--since", "2026-01-01T00:00:00"),
        ("ledger", "--count", "--device", "B-1"),
        ("municipality", "edit", "tripoli", "--weekend", "friday"),
    ],
)
def test_wrong_usage_exits_with_2(database: str, arguments: tuple[str, ...]) -> None:
    add_bin()

    assert nabd(*arguments).code == 2


@pytest.mark.parametrize(
    ("database_dsn", "text"),
    [(None, "NABD_DATABASE"), ("postgresql://nobody@127.0.0.1:1/none", "cannot be reached")],
)
def test_database_that_is_missing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, database_dsn: str | None, text: str
) -> None:
    monkeypatch.delenv("NABD_DATABASE", raising=False)
    if database_dsn:
        monkeypatch.setenv("NABD_DATABASE", database_dsn)

    failed = nabd("device", "list")

    assert (failed.code, failed.err.count("\n")) == (1, 1)
    assert text in failed.err


def test_database_that_was_never_migrated_says_so(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_DATABASE", empty_dsn)

    failed = nabd("device", "list")

    assert failed.code == 1
    assert "nabd migrate" in failed.err


def test_import_writes_nothing_while_a_line_has_a_problem(database: str, tmp_path: Path) -> None:
    file = tmp_path / "bins.csv"
    file.write_text("name;kind;municipality\nB-1;bin;tripoli\nB-2;bim;tripoli\n", encoding="utf-8-sig")

    refused = nabd("device", "import", str(file))
    listed = done("device", "list", "--json")
    kept = nabd("device", "import", str(file), "--keep-good", "--json")

    assert refused.code == 1
    assert f"{file}:3: kind" in refused.err
    assert listed.out == ""
    assert kept.code == 1
    assert [(d["written"], d["added"]) for d in kept.documents] == [(True, 1)]
    assert [p["line"] for p in kept.documents[0]["problems"]] == [3]


def test_dry_run_tells_and_does_nothing(database: str, tmp_path: Path) -> None:
    file = tmp_path / "bins.csv"
    file.write_text("name,kind,municipality\nB-1,bin,tripoli\n")

    told = done("device", "import", str(file), "--dry-run")

    assert "1 added" in told.out
    assert done("device", "list", "--json").out == ""


def test_import_reads_standard_input(database: str) -> None:
    told = nabd("device", "import", "-", stdin="name,kind,municipality\nB-1,bin,tripoli\n")

    assert told.code == 0
    (device,) = done("device", "list", "--json").documents
    assert device["name"] == "B-1"


def test_municipality_rests_when_its_locale_does_unless_it_says_otherwise(database: str) -> None:
    done("municipality", "add", "benghazi", "--locale", "ar-LY")
    done("municipality", "add", "sabha", "--locale", "ar-LY", "--weekend", "6,7")

    weekends = {m["name"]: m["weekend"] for m in done("municipality", "list", "--json").documents}
    assert (weekends["benghazi"], weekends["sabha"]) == ([5, 6], [6, 7])


def test_municipality_is_changed_and_listed(database: str) -> None:
    done("municipality", "edit", "tripoli", "--register-unknown", "--weekend", "5,6")

    (town,) = done("municipality", "list", "--json").documents

    assert (town["weekend"], town["register_unknown"]) == ([5, 6], True)
    assert "طرابلس" in done("municipality", "list").out


def test_rejections_show_the_bytes_and_the_quarantine_is_adopted(database: str) -> None:
    reject(database, STRANGER, MALFORMED)

    newest, oldest = done("rejections", "--json").documents
    (unknown,) = done("device", "quarantine", "--json").documents
    (adopted,) = done("device", "adopt", "NEW-1", "--json").documents

    assert newest["payload_base64"] == "AP8="
    assert oldest["payload"] == '{"fill_pct":12}'
    assert (unknown["device"], unknown["count"]) == ("NEW-1", 1)
    assert (adopted["device"]["name"], adopted["replayed"]) == ("NEW-1", 1)
    assert "unknown_device" in done("rejections", "--device", "NEW-1").out


def test_replay_counts_what_will_be_received_again(database: str) -> None:
    reject(database, STRANGER, STRANGER)

    assert done("rejections", "--device", "NEW-1", "--replay", "--json").documents[0]["replayed"] == 2


def test_ledger_explains_itself_and_balances(database: str) -> None:
    run(record_batch(database))

    (document,) = done("ledger", "--every", "1d", "--json").documents
    told = done("ledger")

    assert (document["received"], document["balanced"], len(document["periods"])) == (10, True, 1)
    assert "received = stored + merged + duplicate + rejected" in told.out
    assert "bad_topic" in told.out


def test_ledger_exits_with_1_when_the_tables_hold_less_than_it_says(database: str) -> None:
    run(record_batch(database))

    counted = nabd("ledger", "--count", "--json")

    assert counted.code == 1
    assert (counted.documents[0]["counted"], counted.documents[0]["balanced"]) == (0, False)


def test_ledger_of_a_device_and_of_a_municipality(database: str) -> None:
    add_bin("TRP-BIN-0001")
    run(record_batch(database))

    (device,) = done("ledger", "--device", "TRP-BIN-0001", "--json").documents
    (town,) = done(
        "ledger", "--municipality", "tripoli", "--since", "2020-01-01T00:00:00Z", "--json"
    ).documents

    assert (device["received"], device["gaps"]) == (3, [])
    assert town["reasons"] == {"bad_value": 1}


async def record_batch(dsn: str) -> None:
    """Write one batch as ingest would."""
    connection = await connect(dsn)
    await ledger.record(connection, BATCH)
    await connection.close()


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("failed", 1)])
async def test_command_waits_for_the_device_and_ends_as_it_did(database: str, status: str, code: int) -> None:
    await asyncio.to_thread(add_bin)
    words = ("device", "command", "B-1", "set_interval", "--arg", "interval_s=60", "--wait", "--json")
    waiting = asyncio.create_task(asyncio.to_thread(nabd, *words, "--expires", "20s"))
    connection = await connect(database)

    async def given() -> Any:
        return await connection.fetchrow("SELECT id, args FROM command")

    row = await eventually(given)
    await record_response(connection, "B-1", row["id"], status, clock.wall, result=row["args"])
    told = await waiting
    await connection.close()

    assert told.code == code, told
    assert [(d["status"], d["result"]) for d in told.documents] == [(status, {"interval_s": 60})]


def test_command_without_an_answer_expires(database: str) -> None:
    add_bin()

    told = nabd("device", "command", "B-1", "reboot", "--wait", "--expires", "1s", "--json")

    assert (told.code, told.documents[0]["status"]) == (1, "expired")
    assert "expired" in done("device", "commands", "B-1").out
    refused = nabd("device", "command", "B-1", "set_interval", "--arg", "interval_s=0")
    assert (refused.code, refused.err) == (1, "nabd: args.interval_s: 0 is not a number from 1 to 86400 s\n")


def test_command_to_a_device_of_a_network_server_says_why_it_cannot_be_given(database: str) -> None:
    async def source() -> None:
        connection = await connect(database)
        new = NewSource(
            name="lora",
            municipality="tripoli",
            format="chirpstack",
            url="mqtts://lora.example",
            profile="milesight-em310-udl",
        )
        await add_source(connection, kinds.load(), new, ALL, clock.wall, by=PLATFORM)
        await connection.close()

    run(source())
    add_bin("24E124136A000001", "--relay", "lora")

    (given,) = done("device", "command", "24E124136A000001", "reboot", "--json").documents
    refused = nabd("device", "command", "24E124136A000001", "calibrate")

    assert given["status"] == "queued"
    assert refused.code == 1
    assert refused.err.startswith("nabd: profile milesight-em310-udl does not say how calibrate is encoded")
    assert refused.err.endswith("a profile of your own with [downlinks.calibrate] does\n")


def test_command_to_many_needs_another_one_than_who_asks(database: str) -> None:
    add_bin()
    where = ("--municipality", "tripoli", "--kind", "bin", "--reason", "storm")

    for name, role in (("rima", "admin"), ("samir", "admin@tripoli"), ("omar", "operator")):
        done("user", "add", name, "--no-password", "--role", role)

    nobody = nabd("command-request", "ask", "report_now", *where)
    (asked,) = done("command-request", "ask", "report_now", *where, "--author", "rima", "--json").documents
    same = nabd("command-request", "approve", "1", "--author", "rima")
    operator = nabd("command-request", "approve", "1", "--author", "omar")
    (approved,) = done("command-request", "approve", "1", "--author", "samir", "--json").documents
    late = nabd("command-request", "refuse", "1", "--author", "rima")

    assert (asked["state"], asked["devices"]) == ("waiting", 1)
    assert "no person is called" in nobody.err
    assert "name an administrator by --author" in operator.err
    assert "another administrator approves it" in same.err
    assert (approved["state"], approved["decided_by"], approved["answers"]) == (
        "approved",
        "samir",
        {"queued": 1},
    )
    assert "is approved already" in late.err


def test_firmware_is_signed_kept_and_rolled_out(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NABD_FIRMWARE_DIR", str(tmp_path / "firmware"))
    add_bin()
    add_bin("B-2", "--no-password")
    file, key = tmp_path / "image.bin", tmp_path / "nabd.key"
    file.write_bytes(b"image")
    of = ("--kind", "bin", "--version", "2.0.0")

    (made,) = done("firmware", "key", str(key), "--json").documents
    again = nabd("firmware", "key", str(key))
    (added,) = done("firmware", "add", str(file), *of, "--key", str(key), "--json").documents
    (signed,) = done(
        "firmware", "sign", str(file), "--kind", "bin", "--version", "2.0.1", "--key", str(key), "--json"
    ).documents
    offline = ("--signature", signed["signature"], "--public-key", signed["public_key"])
    other = tmp_path / "other.bin"
    other.write_bytes(b"another")
    forged = nabd("firmware", "add", str(other), "--kind", "bin", "--version", "2.0.1", *offline)
    unsigned = nabd("firmware", "add", str(other), *of)
    twice = nabd("firmware", "add", str(file), *of, "--key", str(key))
    no_key = nabd("firmware", "add", str(file), *of, "--key", str(file))
    (started,) = done("rollout", "start", *of, "--watch", "1m", "--json").documents
    told = done("rollout", "show", "1").out
    busy = nabd("rollout", "start", *of)
    used = nabd("firmware", "remove", *of)
    (cancelled,) = done("rollout", "cancel", "1", "--json").documents
    resumed = nabd("rollout", "resume", "1")
    (shown,) = done("rollout", "show", "1", "--json").documents

    assert (added["public_key"], added["size"]) == (made["public_key"], 5)
    assert key.stat().st_mode & 0o077 == 0
    assert (tmp_path / "firmware" / f"{added['sha256']}.bin").read_bytes() == b"image"
    assert "is not that of this image by this key" in forged.err
    assert "give --signature and --public-key, or --key alone" in unsigned.err
    assert "a key is never overwritten" in again.err
    assert "give it another version" in twice.err
    assert "no private key" in no_key.err
    assert (started["state"], started["devices"], cancelled["state"]) == ("running", 1, "cancelled")
    assert "1 devices are left out: they have no password" in told
    assert "let it end, or cancel it" in busy.err
    assert "rollout 1 has used bin 2.0.0" in used.err
    assert "it cannot be resumed" in resumed.err
    assert [one["state"] for one in shown["devices"]] == ["waiting"]
    assert "2.0.0" in done("firmware", "list").out + done("rollout", "list").out


def test_configuration_is_wanted_shown_and_its_drift_listed(database: str) -> None:
    add_bin()

    (wanted,) = done("device", "config", "B-1", "interval_s=300", "--json").documents
    (drifting,) = done("device", "config", "--drift", "--json").documents
    refused = nabd("device", "config", "B-1", "colour=red")
    (free,) = done("device", "config", "B-1", "interval_s=", "--json").documents

    assert (wanted["desired"], wanted["agreement"]) == ({"interval_s": 300}, "waiting")
    assert (drifting["device"], drifting["drift"]) == ("B-1", ["interval_s"])
    assert (refused.code, refused.err.split(";")[0]) == (1, "nabd: desired.colour: cannot be set")
    assert free["agreement"] == "free"
    assert done("device", "config", "--drift").out == "Every device is set as it is wanted.\n"


def test_layer_is_imported_listed_exported_and_imported_again(database: str, tmp_path: Path) -> None:
    where = ("--municipality", "tripoli", "--layer", "districts")
    source = tmp_path / "districts.geojson"
    source.write_bytes(file(feature(WEST, name__en="West", name__ar="غرب"), feature(EAST, name="East")))
    add_bin("B-1", "--lat", "34.43", "--lon", "35.83")

    dry = done("municipality", "layer", "import", str(source), *where, "--dry-run")
    imported = done("municipality", "layer", "import", str(source), *where)
    (listed,) = done("municipality", "layer", "list", "--json").documents
    exported = done("municipality", "layer", "export", *where).out
    again = nabd("municipality", "layer", "import", "-", *where, "--json", stdin=exported)
    done("device", "edit", "B-1", "--district", "east")
    by_hand = done("device", "show", "B-1").out
    inside = done("device", "list", "--district", "east", "--json").documents
    done("device", "edit", "B-1", "--district", "auto")
    shown = done("municipality", "layer", "show", *where).out
    done("municipality", "layer", "remove", *where, "west")
    (device,) = done("device", "list", "--json").documents

    assert "Nothing written (--dry-run). It would be: 2 added, 0 changed" in dry.out
    assert imported.out.startswith("2 added, 0 changed, 0 unchanged, 0 removed, 0 kept. Devices in another")
    assert (listed["features"], listed["devices"]) == (2, 1)
    assert (again.code, again.documents[0]["unchanged"], again.documents[0]["devices"]) == (0, 2, 0)
    assert "east: East (set by hand)" in by_hand
    assert [one["name"] for one in inside] == ["B-1"]
    assert "غرب" in shown
    assert device["district"] is None


def test_problems_of_a_layer_are_told_by_feature(database: str, tmp_path: Path) -> None:
    source = tmp_path / "bad.geojson"
    source.write_bytes(
        file(feature(WEST, code="w"), feature(EAST, name="East"), feature(STREET, name="Azmi"))
    )
    where = ("--municipality", "tripoli", "--layer", "districts")

    refused = nabd("municipality", "layer", "import", str(source), *where)
    neither = nabd("municipality", "layer", "remove", *where)

    assert refused.code == 1
    first, second = refused.err.splitlines()
    assert first.startswith(f"nabd: {source}: features[0] w: properties: it has no name: write name:en")
    assert second.startswith(f"nabd: {source}: features[2] azmi: geometry/type: LineString: a district")
    assert (
        refused.out
        == "Nothing written: correct 2 problems (1 added, 0 changed, 0 unchanged, 0 removed, 0 kept).\n"
    )
    assert neither.code == 2
    assert done("municipality", "layer", "show", *where, "--json").documents == []
