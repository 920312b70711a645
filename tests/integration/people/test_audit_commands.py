"""Commands that change something leave rows in the audit; `nabd audit` lists, exports and verifies them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
from typer.testing import CliRunner

from nabd.accounts.grants import Account
from nabd.cli import app
from store.pool import connect
from tests.databases import as_account, run
from tests.integration.work.builders import photo_file
from tests.unit.devices.ground.files import EAST, WEST, feature, file

READING = """
alive, audit export, audit heads, audit list, audit verify, backup base, backup drill, backup key,
backup list, backup make, backup recover, backup show, bench charts, bench compare, bench credentials,
bench ingest, bench notify, bench notify-kills,
bench rules, bench console, bench screens, bench tasks, bench queries, bench shards,
bench production, bench codecs,
calendar show, config show, command-request list, device banned, device commands, device credentials,
device hardware, device list, device notes, device quarantine, device readings-by-hand, device show,
doctor, export readings, figures, firmware list, grafana layout, grafana render, ledger,
maintenance list, maintenance plans, municipality layer export, municipality layer list,
municipality layer show, municipality list, notify log, notify status, on-call export, on-call list,
on-call show, profile check, profile encode, profile list, profile show, profile test, report subscriptions,
report weekly, route check, route history, route show, route test,
rule blind, rule check, rule diff, rule explain, rule history, rule list, rule show, rule test,
rollout list, rollout show, shard list, silence list, sim, sla show, source list, source show, source test,
store status, tail, team list,
tls show, token list, user data,
user list, validate, watch list, watch render, work list, work repeats, work show, work-plan list
"""
ELSEWHERE = {
    "command-request approve": "needs two people: tests/integration/devices/test_cli.py",
    "firmware key": "makes a file: tests/integration/devices/test_cli.py",
    "firmware sign": "prints a signature: tests/integration/devices/test_cli.py",
    "device read": "needs a broker and ingest: tests/integration/incoming/test_by_hand.py",
    "device adopt": "needs messages in quarantine: tests/integration/readings/test_rejections.py",
    "device intervals": "changes with --apply, as `device edit` does: tests/integration/rules/test_rhythm.py",
    "rejections": "changes with --replay: tests/integration/readings/test_rejections.py",
    "migrate": "puts rules into force: tests/integration/nabd/test_migrate_command.py",
    "audit expire": "test_audit.py",
    "user reset-password": "reads a password: test_user_commands.py",
    "user totp": "asks for a code: test_user_commands.py",
    "notify test": "sends, and changes nothing here: tests/unit/nabd/test_channel_trial.py",
    "grafana annotate": "changes another server only: tests/integration/grafana/test_annotations.py",
    "grafana sync": "tests/integration/grafana/test_sync.py",
    "tls init": "makes files, and nothing in the database: tests/integration/nabd/identity/test_tls.py",
    "tls renew": "tests/integration/nabd/identity/test_tls.py",
    "init": "writes files: tests/unit/nabd/test_configuration.py",
    "install systemd": "writes files: tests/unit/nabd/test_systemd.py",
    "store accounts": "there is no schema yet: tests/integration/nabd/test_accounts.py",
    "restore": "fills an empty database, audit included: tests/integration/operating/test_backup.py",
    "up": "starts processes",
    "demo": "starts processes",
    "ingest": "a process",
    "sweep": "a process",
    "bridge": "a process",
    "api": "a process: tests/integration/api/access/test_audited.py",
}
"""Commands that are not run here, each with the reason, and with the test where they change something."""

RULE = """
id: overflow
kind: bin
summary: {en: "{device} is full", fr: "{device} est plein", ar: "{device} ممتلئ"}
levels: {major: fill_pct >= 90}
"""
CSV = "name,kind,municipality,title\nbin-1,bin,tripoli,Souk\nbin-2,bin,tripoli,Port\n"

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:one
SUMMARY:amal
DTSTART:20260302T080000Z
DTEND:20260303T080000Z
END:VEVENT
END:VCALENDAR
"""

ASSIGN = "alert assign 1 sami"
CHANGES: list[tuple[str, list[str]]] = [
    ("municipality add tripoli --time-zone Asia/Beirut", ["municipality.add"]),
    ("municipality add saida", ["municipality.add"]),
    ("municipality edit tripoli --weekend 5,6", ["municipality.edit"]),
    ("shard add north", ["shard.add"]),
    ("shard divide saida --to north", ["municipality.divide"]),
    ("municipality layer import {layer} --municipality tripoli --layer districts", ["layer.import"]),
    ("municipality layer remove --municipality tripoli --layer districts west", ["layer.remove"]),
    ("device add bin-1 --kind bin --municipality tripoli", ["device.add", "device.rotate"]),
    ("device import {csv} --update", ["device.add", "device.edit"]),
    ("device edit bin-1 --municipality saida", ["device.move", "device.move"]),
    ("device edit bin-2 --planned", ["device.edit"]),
    ("device install bin-2", ["device.install"]),
    ("device rotate bin-2 --overlap 1h", ["device.rotate"]),
    ("device revoke bin-2", ["device.revoke"]),
    ("device replace bin-2 SN-2", ["device.replace"]),
    ("device note bin-2 locked", ["device.note"]),
    ("device command bin-2 report_now", ["command.send"]),
    ("device config bin-2 interval_s=60", ["device.configure"]),
    ("user add rima --no-password --role admin@tripoli", ["person.add"]),
    (
        "command-request ask report_now --municipality tripoli --kind bin --reason storm --author rima",
        ["command-request.ask"],
    ),
    ("command-request refuse 1 --author rima", ["command-request.refuse"]),
    ("firmware add {csv} --kind bin --version 2.0 --key {key}", ["firmware.add"]),
    ("device rotate bin-2", ["device.rotate"]),
    ("rollout start --kind bin --version 2.0 --municipality tripoli", ["rollout.start"]),
    ("rollout pause 1", ["rollout.pause"]),
    ("rollout resume 1", ["rollout.resume"]),
    ("rollout cancel 1", ["rollout.cancel"]),
    ("firmware add {photo} --kind bin --version 2.1 --key {key}", ["firmware.add"]),
    ("firmware remove --kind bin --version 2.1", ["firmware.remove"]),
    ("device ban bin-666 --reason foreign", ["device.ban"]),
    ("device unban bin-666", ["device.unban"]),
    (
        "source add lora --municipality tripoli --format chirpstack --profile milesight-em310-udl",
        ["device.add", "source.add"],
    ),
    ("source edit lora --disable", ["source.edit"]),
    ("source remove lora", ["source.remove"]),
    ("device retire bin-2 --reason stolen", ["device.retire"]),
    ("device edit bin-2 --reinstate --title Harbour", ["device.edit", "device.reinstate"]),
    ("rule apply {rule}", ["rule.apply"]),
    ("rule disable overflow", ["rule.disable"]),
    ("rule enable overflow", ["rule.enable"]),
    ("rule apply {rule} --shadow", ["rule.shadow"]),
    ("rule shadow overflow --drop", ["rule.drop"]),
    ("maintenance add --device bin-1 --for 4h --reason washing", ["maintenance.plan"]),
    ("maintenance end 1", ["maintenance.end"]),
    (
        "maintenance plan --device bin-1 --every day --at 02:00-04:00 --reason washing",
        ["maintenance-plan.add"],
    ),
    (
        "maintenance plan --municipality saida --every month:1,15 --at 22:00-24:00 --reason works --json",
        ["maintenance-plan.add"],
    ),
    ("maintenance end-plan 1", ["maintenance-plan.end"]),
    ("user add sami --no-password --role technician@saida", ["person.add"]),
    (ASSIGN, ["alert.assign"]),
    ("alert assign 1 --nobody", ["alert.assign"]),
    ("work new --alert 1 --to sami", ["work.create", "work.assign"]),
    ("work accept 1", ["work.accept"]),
    ("work decline 1 --reason ill", ["work.decline"]),
    ("work assign 1 sami", ["work.assign"]),
    ("work accept 1", ["work.accept"]),
    ("work on-the-way 1", ["work.on-the-way"]),
    ("work start 1", ["work.in-progress"]),
    ("work comment 1 late", ["work.comment"]),
    ("work photo 1 {photo}", ["work.add-photo"]),
    ("work done 1 --did painted --part cable=2.5m --check lid_closes=yes", ["work.done"]),
    ("work new --device bin-1 --title look", ["work.create"]),
    ("work cancel 2 --reason double", ["work.cancel"]),
    ("work by-rule saida --on", ["work.by-rule"]),
    ("work-plan new wash --every 6months --device bin-1", ["work-plan.add"]),
    ("work-plan end 1", ["work-plan.end"]),
    ("calendar hours saida --day mon=08:00-14:00 --ramadan same", ["calendar.hours"]),
    ("calendar holiday add saida 2026-03-20 --name Eid", ["calendar.day"]),
    ("calendar holiday remove saida 2026-12-25", ["calendar.day"]),
    ("calendar holiday forget saida 2026-12-25", ["calendar.day"]),
    ("calendar ramadan saida 2026-02-18 2026-03-19", ["calendar.ramadan"]),
    ("calendar ramadan saida 1447 --forget", ["calendar.ramadan"]),
    ("sla set major --response 2h --repair 8h --always --municipality saida --kind bin", ["sla.set"]),
    ("sla set major --default --municipality saida --kind bin", ["sla.drop"]),
    ("silence add --rule overflow --municipality saida --for 4h --reason works", ["silence.add"]),
    ("silence end 1", ["silence.end"]),
    ("user first", ["person.add", "person.link"]),
    ("user add amal --no-password --role viewer@tripoli", ["person.add"]),
    ("user edit amal --language ar --role operator@saida --take-role viewer@tripoli", ["person.edit"]),
    ("user edit amal --email amal@example.org", ["person.edit"]),
    ("report subscribe amal weekly-report --municipality saida", ["person.subscribe"]),
    ("report unsubscribe amal weekly-report --municipality saida", ["person.unsubscribe"]),
    ("user link amal", ["person.link"]),
    ("user disable amal", ["person.disable"]),
    ("user enable amal", ["person.enable"]),
    ("route apply {routes}", ["route.apply"]),
    ("team add lights --municipality saida --member amal", ["team.add"]),
    ("team edit lights --title ar=إنارة --take-member amal", ["team.edit"]),
    ("team remove lights", ["team.remove"]),
    ("on-call add night --municipality saida --layer {turns}", ["on-call.add"]),
    ("on-call edit night --title en=Nights", ["on-call.edit"]),
    (
        "on-call override night amal --from 2026-03-02T08:00:00Z --until 2026-03-03T08:00:00Z",
        ["on-call.override"],
    ),
    ("on-call override night --remove 1", ["on-call.turns"]),
    ("on-call import night {calendar}", ["on-call.override"]),
    ("on-call remove night", ["on-call.remove"]),
    ("user delete amal --yes", ["person.delete"]),
    ("token create waste --role viewer", ["token.create"]),
    ("token revoke 1", ["token.revoke"]),
]
"""Commands in their order, and what the audit must have of each."""


def commands(command: Any, path: str = "") -> Iterator[str]:
    """Yield every command by its words, given typer's group of all."""
    inside = getattr(command, "commands", None)
    if inside is None:
        yield path
        return
    for name, inner in inside.items():
        yield from commands(inner, f"{path} {name}".strip())


def test_every_command_is_known_to_read_or_to_change() -> None:
    reading = {name.strip() for name in READING.replace("\n", " ").split(",")}
    known = set(commands(typer.main.get_command(app)))
    tried = {name for name in known for line, _ in CHANGES if f"{line} ".startswith(f"{name} ")}

    assert known == reading | ELSEWHERE.keys() | tried


def nabd(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def documents(*arguments: str) -> list[dict[str, Any]]:
    code, out, err = nabd(*arguments)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def files(dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path | str]:
    """A database that commands find, a list of devices and a rule."""
    monkeypatch.setenv("NABD_DATABASE", as_account(dsn, Account.API))
    monkeypatch.setenv("NABD_AUDIT_DIR", str(tmp_path / "heads"))
    monkeypatch.setenv("USER", "rima")
    monkeypatch.setenv("LOGNAME", "rima")
    found = {"csv": tmp_path / "devices.csv", "rule": tmp_path / "rule.yaml"}
    found["layer"] = tmp_path / "districts.geojson"
    found["layer"].write_bytes(file(feature(WEST, name="West"), feature(EAST, name="East")))
    found["csv"].write_text(CSV, encoding="utf-8")
    found["rule"].write_text(RULE, encoding="utf-8")
    monkeypatch.setenv("NABD_PHOTO_DIR", str(tmp_path / "photos"))
    found["photo"] = tmp_path / "photo.png"
    found["photo"].write_bytes(photo_file())
    found["key"] = tmp_path / "nabd.key"
    assert nabd("firmware", "key", str(found["key"]))[0] == 0
    monkeypatch.setenv("NABD_FIRMWARE_DIR", str(tmp_path / "firmware"))
    found["routes"] = tmp_path / "routes.yaml"
    found["routes"].write_text("tell: operators", encoding="utf-8")
    found["calendar"] = tmp_path / "stand-ins.ics"
    found["calendar"].write_text(CALENDAR, encoding="utf-8")
    return {**found, "turns": "people=amal start=2026-03-02 turn=7d handover=08:00"}


def test_each_changing_command_leaves_rows_that_say_who_and_from_where(
    dsn: str, files: dict[str, Path | str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = 0
    for line, actions in CHANGES:
        if line == ASSIGN:
            run(_fire(dsn))
        account = Account.OWNER if line.startswith("shard ") else Account.API
        with monkeypatch.context() as as_who:
            as_who.setenv("NABD_DATABASE", as_account(dsn, account))
            code, _, err = nabd(*(word.format(**files) for word in line.split()))
        assert code == 0, f"{line}: {err}"
        rows = run(_written(dsn))[known:]
        assert [row["action"] for row in rows] == actions, line
        assert {(row["who"], row["address"]) for row in rows} == {("rima", socket.gethostname())}
        known += len(rows)
    exported = sorted(documents("audit", "export"), key=lambda row: row["id"])
    assert [row["action"] for row in exported] == [row["action"] for row in run(_written(dsn))]

    listed = documents("audit", "list", "--json", "--subject", "bin-1", "--action", "device", "--limit", "2")
    assert [row["action"] for row in listed] == ["device.move", "device.move"]
    assert "device.retire" in nabd("audit", "list", "--who", "rima", "--limit", "200")[1]
    heads = tmp_path / "kept.ndjson"
    heads.write_text(nabd("audit", "heads", "--json")[1], encoding="utf-8")
    code, out, _ = nabd("audit", "verify", "--heads", str(heads))
    assert (code, f"{known} rows in 3 chains, 3 heads kept outside: 0 problems." in out) == (0, True)

    run(_tamper(dsn))
    code, out, err = nabd("audit", "verify", "--heads", str(heads))
    assert code == 1
    assert "its fields do not have its hash: it was edited" in err
    assert "1 problems" in out


async def _written(dsn: str) -> list[asyncpg.Record]:
    """Return the rows of the audit as they were written."""
    connection: asyncpg.Connection = await connect(dsn)
    try:
        return await connection.fetch(
            """
            SELECT audit.action, named_principal.name AS who, audit.address
            FROM audit INNER JOIN named_principal ON audit.principal_id = named_principal.id
            ORDER BY audit.id
            """
        )
    finally:
        await connection.close()


async def _fire(dsn: str) -> None:
    connection: asyncpg.Connection = await connect(dsn)
    await connection.execute(
        """
        INSERT INTO alert (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary,
            evidence)
        SELECT 'overflow', 1, id, 'firing', 'major', now(), now(), '{}', '{}' FROM device WHERE name = 'bin-1'
        """
    )
    await connection.close()


async def _tamper(dsn: str) -> None:
    connection: asyncpg.Connection = await connect(dsn)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("UPDATE audit SET address = 'elsewhere' WHERE action = 'device.retire'")
    await connection.close()
