"""Where settings are said: environment, files of secrets, the configuration file; and who wins."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nabd.accounts.scram import matches, verifier
from nabd.cli import app
from nabd.configuration import sources
from nabd.configuration.first_town import place_of
from nabd.configuration.secrets import OF_COMMANDS, RANDOM, write_secrets
from nabd.configuration.sources import UnreadableSetting
from nabd.configuration.template import Layout, configuration
from nabd.settings import Settings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file that processes find."""
    file = tmp_path / "nabd.env"
    file.touch()
    monkeypatch.setenv("NABD_CONFIG", str(file))
    monkeypatch.chdir(tmp_path)
    return file


def test_places_win_in_their_order(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (tmp_path / "token").write_text("by config's file\n")
    config.write_text(f"NABD_NTFY_TOKEN_FILE={tmp_path / 'token'}\n")
    found = [Settings().ntfy_token]
    config.write_text("NABD_NTFY_TOKEN=by config\n")
    found.append(Settings().ntfy_token)
    (mounted / "NABD_NTFY_TOKEN").write_text("by systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(mounted))
    found.append(Settings().ntfy_token)
    (tmp_path / "token").write_text("by variable's file\n")
    monkeypatch.setenv("NABD_NTFY_TOKEN_FILE", str(tmp_path / "token"))
    found.append(Settings().ntfy_token)
    monkeypatch.setenv("NABD_NTFY_TOKEN", "by variable")
    found.append(Settings().ntfy_token)

    assert found == ["by config's file", "by config", "by systemd", "by variable's file", "by variable"]


def test_secrets_of_containers_are_found_and_json_is_read_from_files(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "SECRET_DIRECTORIES", (tmp_path,))
    (tmp_path / "NABD_SMS_HEADERS").write_text('{"Authorization": "Bearer x"}\n')
    (tmp_path / "NABD_NTFY_TOKEN").write_text("")

    settings = Settings()

    assert settings.sms_headers == {"Authorization": "Bearer x"}
    assert settings.ntfy_token == ""


def test_password_of_a_file_completes_an_address_without_one(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NABD_DATABASE_PASSWORD", "a/b@c")
    monkeypatch.setenv("NABD_BROKER_PASSWORD", "secret")
    config.write_text("NABD_DATABASE=postgresql://nabd_api@db/nabd\nNABD_BROKER=mqtts://~api:own@broker\n")

    settings = Settings()

    assert settings.database == "postgresql://nabd_api:a%2Fb%40c@db/nabd"
    assert settings.broker == "mqtts://~api:own@broker"


@pytest.mark.parametrize("variable", ["NABD_CONFIG", "NABD_NTFY_TOKEN_FILE"])
def test_file_that_cannot_be_read_is_named_with_the_fix(
    config: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "/nowhere/at/all")

    with pytest.raises(UnreadableSetting, match=r"/nowhere/at/all"):
        Settings()
    result = CliRunner().invoke(app, ["config", "show"])

    assert result.exit_code == 2
    assert variable.removesuffix("_FILE") in result.stderr
    assert "Traceback" not in result.stderr


def test_shown_settings_tell_who_said_them_and_hide_secrets(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("very secret")
    config.write_text(f"NABD_NTFY_TOKEN_FILE={tmp_path / 'token'}\nNABD_RETENTION_DAYS=30\n")
    monkeypatch.setenv("NABD_DATABASE", "postgresql://nabd_api:very-secret@db:5433/nabd")
    monkeypatch.setenv("NABD_BROKER", "mqtt://~api:very-secret@broker")
    monkeypatch.setenv("NABD_STREAM", "nats://ingest:very-secret@stream:4222")
    monkeypatch.setenv("NABD_HEARTBEAT_URL", "https://beats.example.org/very-secret")
    monkeypatch.setenv("NABD_TRACES_ENDPOINT", "https://traces.example.org/v1?key=very-secret")

    result = CliRunner().invoke(app, ["config", "show", "--origin", "--changed", "--json"])
    found = {one["name"]: one for one in map(json.loads, result.stdout.splitlines())}

    assert {name: (one["value"], one["origin"]) for name, one in found.items()} == {
        "NABD_DATABASE": ("database nabd at db:5433", "environment NABD_DATABASE"),
        "NABD_BROKER": ("mqtt://~api@broker", "environment NABD_BROKER"),
        "NABD_STREAM": ("nats://ingest@stream:4222", "environment NABD_STREAM"),
        "NABD_HEARTBEAT_URL": ("(secret)", "environment NABD_HEARTBEAT_URL"),
        "NABD_TRACES_ENDPOINT": ("(secret)", "environment NABD_TRACES_ENDPOINT"),
        "NABD_RETENTION_DAYS": ("30", str(config)),
        "NABD_NTFY_TOKEN": ("(secret)", f"{tmp_path / 'token'} (NABD_NTFY_TOKEN_FILE in {config})"),
    }
    for arguments in (["show"], ["show", "--origin"]):
        assert "very" not in CliRunner().invoke(app, ["config", *arguments]).stdout


def test_secrets_are_random_and_closed_and_never_written_twice(tmp_path: Path) -> None:
    made = write_secrets(tmp_path / "secrets", {"email-server": "smtps://a:b@c"})
    before = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    (tmp_path / "secrets/broker-api").unlink()
    again = write_secrets(tmp_path / "secrets", {})
    after = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}

    assert set(made) == set(before)
    assert len({before[name] for name in RANDOM}) == len(RANDOM)
    assert before["email-server"] == "smtps://a:b@c"
    assert again == ["broker-api"]
    assert {name for name in after if after[name] != before[name]} == {"broker-api"}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_group_of_the_processes_reads_what_commands_sign_in_with_and_nothing_else(tmp_path: Path) -> None:
    write_secrets(tmp_path / "secrets", {"email-server": "smtps://a:b@c"}, group=os.getgid())

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "secrets").iterdir()}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o750
    assert {name for name, mode in modes.items() if mode == 0o640} == {"database-api", "broker-api"}
    assert {mode for name, mode in modes.items() if name not in OF_COMMANDS} == {0o600}


def test_example_is_what_init_writes_without_answers() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert example == configuration(None, Layout.COMPOSE, Settings), "scripts/env-example writes it"


@pytest.mark.parametrize("layout", Layout)
def test_init_writes_one_configuration_that_nabd_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    monkeypatch.chdir(tmp_path)
    said = ["--town", "chefchaouen", "--language", "fr", "--time-zone", "Africa/Casablanca"]
    said += ["--domain", "nabd.chefchaouen.ma", "--mail", "smtps://nabd@mail.example.org"]
    where = ["init", "--directory", str(tmp_path), "--layout", str(layout), "--json"]

    usual = os.umask(0o077)
    try:
        first = CliRunner().invoke(app, [*where, *said])
    finally:
        os.umask(usual)
    second = CliRunner().invoke(app, [*where, *said])

    told = json.loads(first.stdout)
    assert stat.S_IMODE(Path(told["configuration"]).stat().st_mode) == 0o644
    monkeypatch.setenv("NABD_CONFIG", told["configuration"])
    settings = Settings()
    assert (settings.town, settings.language, settings.time_zone) == (
        "chefchaouen",
        "fr",
        "Africa/Casablanca",
    )
    assert settings.public_url == "https://nabd.chefchaouen.ma"
    assert (tmp_path / "secrets/email-server").read_text() == "smtps://nabd@mail.example.org"
    if layout is Layout.SYSTEMD:
        password = (tmp_path / "secrets/database-api").read_text()
        assert settings.database == f"postgresql://nabd_api:{password}@127.0.0.1/nabd"
        assert settings.broker_files == Path("/var/lib/nabd/broker-files")
    assert second.exit_code == 1
    assert "is there already" in second.stderr


def test_questions_are_asked_in_the_language_and_again_where_the_answer_is_none(tmp_path: Path) -> None:
    answers = ["ar", "طرابلس", "tripoli", "Asia/Beirut", "not a domain", "localhost", "", ""]

    result = CliRunner().invoke(
        app, ["init", "--directory", str(tmp_path), "--layout", "compose"], input="\n".join(answers)
    )

    assert result.exit_code == 0, result.output
    assert "المنطقة الزمنية" in result.stdout
    assert "is not a municipality name" in result.stdout
    assert "is no name of a machine" in result.stdout
    assert "NABD_TOWN=tripoli\n" in (tmp_path / ".env").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("option", "said", "expected"),
    [
        ("--town", "Tripoli!", "a-z, 0-9 and -"),
        ("--time-zone", "Asia/Beiruth", "did you mean Asia/Beirut"),
        ("--domain", "https://x", "no name of a machine"),
        ("--mail", "mail.example.org", "expected smtps://"),
        ("--language", "de", "one of en, fr, ar"),
    ],
)
def test_answer_that_cannot_be_used_writes_nothing(
    tmp_path: Path, option: str, said: str, expected: str
) -> None:
    result = CliRunner().invoke(app, ["init", "--yes", "--directory", str(tmp_path), option, said])

    assert result.exit_code == 2
    assert expected in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_town_stands_where_its_time_zone_does() -> None:
    assert place_of("Asia/Beirut") == ("LB", 33.8833, 35.5)
    assert place_of("America/Sao_Paulo")[1:] == (-23.5333, -46.6167)
    assert place_of("UTC") == ("", None, None)


def test_password_is_stored_as_postgresql_would_and_told_apart() -> None:
    stored = verifier("pencil", b"0123456789abcdef")

    assert stored.startswith("SCRAM-SHA-256$4096:")
    assert matches(stored, "pencil")
    assert not matches(stored, "pen")
    assert not matches(None, "pencil")
    assert not matches("md5abc", "pencil")
