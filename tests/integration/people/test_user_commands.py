"""`nabd user` and `nabd token`: passwords never stand on a command line, secrets are shown once."""

from __future__ import annotations

import json
from typing import Any

import pyotp
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from typer.testing import CliRunner

from nabd.cli import app
from people import editing, passwords, totp


@pytest.fixture(autouse=True)
def quick(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that commands find, and hashes in a moment."""
    monkeypatch.setenv("NABD_DATABASE", dsn)
    cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", PasswordHash((cheap,)))


def nabd(*arguments: str, said: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), input=said)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def listed(noun: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in nabd(noun, "list", "--json")[1].splitlines()]


def test_person_is_added_changed_and_helped_back_in() -> None:
    assert nabd("municipality", "add", "tripoli")[0] == 0
    code, out = nabd("user", "add", "rima", "--role", "operator@tripoli", "--phone", "+961 3 123 456",
                     "--password-stdin", said="three short words\n")  # fmt: skip
    assert (code, "operator@tripoli" in out) == (0, True)
    assert nabd("user", "add", "rima", "--no-password")[0] == 1
    assert nabd("user", "add", "amal", "--password-stdin", said="short\n")[0] == 1
    assert nabd("user", "add", "amal", "--no-password", "--role", "mayor")[0] == 2
    assert nabd("user", "add", "amal", "--no-password", "--role", "viewer@atlantis")[0] == 1
    assert nabd("user", "edit", "rima", "--take-role", "viewer")[0] == 1
    assert nabd("user", "edit", "rima", "--role", "viewer", "--phone", "")[0] == 0

    (rima,) = listed("user")
    assert (rima["name"], rima["roles"], rima["phone"]) == ("rima", ["operator@tripoli", "viewer"], None)
    assert (rima["has_password"], rima["has_totp"]) == (True, False)
    assert not {"password_hash", "totp_secret"} & rima.keys()
    assert nabd("user", "reset-password", "rima", "--password-stdin", said="other words, long\n")[0] == 0


def test_commands_say_how_a_person_is_told() -> None:
    assert nabd("user", "add", "rima", "--no-password", "--channel", "ntfy=rima", "--channel", "push=a",
                "--channel", "push=b", "--step", "ntfy=0s", "--step", "push=5m")[0] == 0  # fmt: skip
    assert (
        nabd("user", "edit", "rima", "--quiet", "22:00-06:00=major", "--channel", "sms=+961 3 123 456")[0]
        == 0
    )
    wrong = [
        nabd("user", "edit", "rima", *said)
        for said in (
            ("--step", "smss=5m"),
            ("--step", "sms"),
            ("--quiet", "22:00=major"),
            ("--channel", "ntfi=x"),
        )
    ]

    (rima,) = listed("user")
    assert rima["channels"] == {"ntfy": "rima", "push": ["a", "b"], "sms": "+961 3 123 456"}
    assert rima["steps"] == [{"channel": "ntfy", "after_s": 0}, {"channel": "push", "after_s": 300}]
    assert rima["quiet_hours"] == [{"from": "22:00", "until": "06:00", "below": "major"}]
    assert [code for code, _ in wrong] == [1, 2, 2, 1]
    assert nabd("user", "edit", "rima", "--step", "none", "--quiet", "none", "--channel", "push=")[0] == 0
    (rima,) = listed("user")
    assert (rima["steps"], rima["quiet_hours"], sorted(rima["channels"])) == ([], [], ["ntfy", "sms"])


def test_app_is_set_up_by_a_code_that_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = totp.new_secret()
    monkeypatch.setattr(totp, "new_secret", lambda: secret)
    assert nabd("user", "add", "rima", "--no-password")[0] == 0

    assert nabd("user", "totp", "rima", said="000000\n")[0] == 1
    code, out = nabd("user", "totp", "rima", said=f"{pyotp.TOTP(secret).now()}\n")

    assert code == 0, out
    assert f"secret={secret}" in out
    assert listed("user")[0]["recovery_codes"] == totp.RECOVERY_CODES
    assert nabd("user", "totp", "rima", "--off")[0] == 0
    assert listed("user")[0]["has_totp"] is False


def test_first_link_is_for_the_same_administrator_each_time() -> None:
    links = [json.loads(nabd("user", "first", "--json", "--url", "https://nabd.example.org/")[1])
             for _ in range(2)]  # fmt: skip

    assert {link["name"] for link in links} == {"admin"}
    assert len({link["link"] for link in links}) == 2
    assert links[0]["link"].startswith("https://nabd.example.org/signin?link=")


def test_token_is_shown_once_and_listed_until_it_is_revoked() -> None:
    token = json.loads(nabd("token", "create", "prometheus", "--scope", "metrics", "--for", "ever",
                            "--json")[1])["token"]  # fmt: skip
    assert nabd("token", "create", "nothing")[0] == 1

    (shown,) = listed("token")
    assert (shown["name"], shown["scopes"], shown["role"], shown["expires_at"]) == (
        "prometheus", ["metrics"], None, None,
    )  # fmt: skip
    assert token not in json.dumps(shown)
    assert nabd("token", "revoke", str(shown["id"]))[0] == 0
    assert listed("token")[0]["revoked_at"] is not None
    assert nabd("token", "revoke", "999")[0] == 1


def test_roles_are_given_to_the_version_that_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nabd("user", "add", "rima", "--no-password")[0] == 0
    edit, versions = editing.edit_person, []

    async def seen(*arguments: Any, **named: Any) -> Any:
        versions.append(named["version"])
        return await edit(*arguments, **named)

    monkeypatch.setattr(editing, "edit_person", seen)

    assert nabd("user", "edit", "rima", "--role", "viewer")[0] == 0
    assert nabd("user", "edit", "rima", "--role", "technician")[0] == 0
    assert versions == [1, 2]


def test_all_that_is_kept_of_a_person_is_printed_but_for_what_proves_who_they_are() -> None:
    nabd("municipality", "add", "tripoli")
    for name in ("rima", "samir"):
        nabd("user", "add", name, "--role", "operator@tripoli", "--email", f"{name}@example.org",
             "--password-stdin", said="three short words\n")  # fmt: skip
        nabd("user", "link", name)
    nabd("team", "add", "roads", "--municipality", "tripoli", "--member", "rima")

    code, out = nabd("user", "data", "rima")

    rows = [json.loads(line) for line in out.splitlines()]
    tables = {row["table"] for row in rows}
    assert code == 0
    assert tables >= {"person", "membership", "sign_in_link", "team_member"}
    assert [row["email"] for row in rows if row["table"] == "person"] == ["rima@example.org"]
    assert not {"password_hash", "hash", "totp_secret", "recovery_codes"} & {
        key for row in rows for key in row
    }
    assert "samir" not in out
    assert "nobody" in nabd("user", "data", "nobody")[1]
