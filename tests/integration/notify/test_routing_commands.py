"""`nabd route`, `nabd team` and `nabd on-call`: who would be told at night, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nabd.cli import app
from notify.routing.schedules import NewSchedule, add_schedule
from notify.routing.teams import NewTeam, add_team
from people.editing import NewPerson, add_person
from people.identity import of_texts
from store.audit import PLATFORM
from store.pool import connect
from tests.databases import run
from tests.integration.api import builders

ROUTES = """
tell: operators
routes:
  - name: lights
    match: {kind: light, municipality: tripoli}
    steps:
      - tell: on-call:night
      - after: 15m
        tell: [team:lights, person:samir]
    repeat: 1h
"""
NIGHT = "2026-03-09T23:00:00+02:00"
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:swap
SUMMARY:Rima Haddad
DTSTART:20260309T200000
DTEND:20260310T080000
END:VEVENT
END:VCALENDAR
"""


PEOPLE = {"amal": "أمل الخوري", "rima": "Rima Haddad", "samir": ""}


@pytest.fixture(autouse=True)
def town(dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A town with a lamp, two technicians and an operator; the current folder is empty."""
    monkeypatch.setenv("NABD_DATABASE", dsn)
    monkeypatch.chdir(tmp_path)
    run(_fill(dsn))


async def _fill(dsn: str) -> None:
    connection = await connect(dsn)
    await builders.add(connection, "light-1", kind="light")
    for name, shown in PEOPLE.items():
        role = "operator@tripoli" if name == "samir" else "technician@tripoli"
        person = NewPerson(
            name=name,
            display_name=shown,
            email=f"{name}@example.org",
            channels={"ntfy": name},
            grants=sorted(of_texts([role]), key=str),
        )
        await add_person(connection, person, builders.now(), by=PLATFORM)
    team = NewTeam(name="lights", municipality="tripoli", members=["rima"], title={"ar": "إنارة"})
    await add_team(connection, team, builders.now(), by=PLATFORM)
    layer = {"people": ["amal", "rima"], "start": "2026-03-02", "turn_days": 7, "handover": "08:00"}
    schedule = NewSchedule(name="night", municipality="tripoli", layers=[layer])
    await add_schedule(connection, schedule, builders.now(), by=PLATFORM)
    await connection.close()


def nabd(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def good(*arguments: str) -> str:
    code, out, err = nabd(*arguments)
    assert code == 0, err
    return out


def documents(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in good(*arguments, "--json").splitlines()]


def told(*arguments: str) -> list[tuple[int, str, str, float]]:
    said = ("--device", "light-1", "--severity", "major", "--at", NIGHT)
    (answer,) = documents("route", "test", *said, *arguments)
    return [(t["step"], t["person"], t["channel"], t["after_s"]) for t in answer["told"]]


def test_routes_say_who_would_be_told_by_which_channel_and_when() -> None:
    assert told() == [(1, "samir", "email", 0), (1, "samir", "ntfy", 0)], "the default: operators"
    Path("routes.yaml").write_text(ROUTES, encoding="utf-8")
    assert good("route", "check", "routes.yaml") == "nothing wrong\n"
    good("route", "apply", "routes.yaml")
    good(
        "user", "edit", "rima", "--quiet", "22:00-06:00=critical", "--step", "ntfy=0s", "--step", "email=10m"
    )

    assert told() == [
        (1, "rima", "ntfy", 7 * 3600),
        (1, "rima", "email", 7 * 3600 + 600),
        (2, "samir", "email", 900),
        (2, "samir", "ntfy", 900),
        (2, "rima", "ntfy", 7 * 3600),
        (2, "rima", "email", 7 * 3600 + 600),
    ]
    shown = good("route", "test", "--device", "light-1", "--severity", "critical", "--at", NIGHT)
    assert "route 'lights': critical on light-1 (light in tripoli)" in shown
    assert "at (Asia/Beirut)" in shown
    assert "Mon 23:10:00" in shown
    assert "every 1h, until somebody acknowledges" in shown
    assert "not set up here, so nothing is sent by: email, ntfy" in shown
    assert nabd("route", "test", "--device", "light-2", "--severity", "major")[0] == 1
    assert [d["version"] for d in documents("route", "history")] == [1]
    assert good("route", "show").strip() == ROUTES.strip()
    assert "tell: operators" in good("route", "show", "--version", "0")


def test_a_file_with_mistakes_is_refused_with_all_of_them_and_the_routes_stay() -> None:
    Path("routes.yaml").write_text(ROUTES.replace("light,", "ligth,").replace("15m", "15"), encoding="utf-8")

    code, out, err = nabd("route", "apply", "routes.yaml")
    checked = nabd("route", "check", "routes.yaml", "--json")

    assert (code, out) == (1, "")
    assert "routes.yaml:5:19: there is no kind ligth; did you mean light?" in err
    assert "routes.yaml:8:16: after: '15' is not a duration" in err
    assert checked[0] == 1
    assert [(e["line"], e["column"]) for e in json.loads(checked[1])["errors"]] == [(5, 19), (8, 16)]
    assert documents("route", "history") == []


def test_what_routes_name_is_not_removed() -> None:
    Path("routes.yaml").write_text(ROUTES, encoding="utf-8")
    good("route", "apply", "routes.yaml")

    refused = [nabd("team", "remove", "lights"), nabd("on-call", "remove", "night")]

    assert [code for code, _, _ in refused] == [1, 1]
    assert "the routes name on-call:night: change them first" in refused[1][2]


def test_who_is_on_call_by_turns_and_standing_in_from_a_calendar() -> None:
    Path("swap.ics").write_text(CALENDAR, encoding="utf-8")
    for _ in range(2):
        (swap,) = documents("on-call", "import", "night", "swap.ics")
    good("on-call", "override", "night", "amal",
         "--from", "2026-03-10T20:00:00+02:00", "--until", "2026-03-11T08:00:00+02:00")  # fmt: skip

    (found,) = documents("on-call", "show", "night", "--at", "2026-03-08T08:00:00+02:00", "--for", "9d")
    shifts = [(s["person"], s["from_at"], s["override"]) for s in found["shifts"]]

    assert (swap["person"], swap["from_at"]) == ("rima", "2026-03-09T18:00:00Z")
    assert shifts == [
        ("amal", "2026-03-08T06:00:00Z", False),
        ("rima", "2026-03-09T06:00:00Z", False),
        ("rima", "2026-03-09T18:00:00Z", True),
        ("rima", "2026-03-10T06:00:00Z", False),
        ("amal", "2026-03-10T18:00:00Z", True),
        ("rima", "2026-03-11T06:00:00Z", False),
        ("amal", "2026-03-16T06:00:00Z", False),
    ]
    assert [s["layers"][0]["people"] for s in documents("on-call", "list")] == [["amal", "rima"]]
    assert "SUMMARY:أمل الخوري" in good("on-call", "export", "night")
    assert nabd("on-call", "override", "night", "amal")[0] == 2
    code, _, err = nabd(
        "on-call", "edit", "night", "--layer", "people=zed start=2026-03-02 turn=7d handover=08:00"
    )
    assert (code, "no person is called 'zed'" in err) == (1, True)


def test_members_of_a_team_hold_a_role_where_it_is() -> None:
    good("municipality", "add", "nablus")
    good("user", "add", "hala", "--no-password", "--role", "technician@nablus")

    code, _, err = nabd("team", "edit", "lights", "--member", "hala")

    assert (code, "hala holds no role there" in err) == (1, True)
    good("team", "edit", "lights", "--member", "amal", "--title", "fr=Éclairage")
    (team,) = documents("team", "list")
    assert (team["members"], team["title"]) == (["amal", "rima"], {"ar": "إنارة", "fr": "Éclairage"})
