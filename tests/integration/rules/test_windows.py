"""Maintenance windows as people plan them, by the functions, the command and what they do to rules."""

from __future__ import annotations

import json
from datetime import timedelta

import asyncpg
import pytest
from typer.testing import CliRunner

from alerts.queue import list_alerts
from devices.instants import to_datetime
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.generation import advance
from devices.registry.registry import load
from nabd.cli.maintenance import app
from rules.loading.files import parse
from rules.maintenance import spans as maintenance
from rules.maintenance import windows
from rules.trial.backtest import Backtest
from rules.trial.replay import replay_history
from store.audit import PLATFORM
from store.pool import connect
from tests.actors import actor
from tests.databases import run
from tests.integration.rules.ingestion import KINDS, Ingestion
from tests.integration.rules.test_maintenance import OVERFLOW, START, fill, put
from tests.integration.rules.town import MINUTE, add_device

AT = to_datetime(START)
HOUR = timedelta(hours=1)
GENERATION = "SELECT generation FROM shard WHERE name = 'main'"


@pytest.fixture
async def device(connection: asyncpg.Connection) -> int:
    return await add_device(connection, "B-1")


async def plan(connection: asyncpg.Connection, minutes: int = 60, **more: object) -> windows.PlannedWindow:
    given = {"device": "B-1", "until_at": AT + timedelta(minutes=minutes), "reason": "washing", **more}
    return await windows.add_window(connection, by=await actor(connection, "omar"), now=START, **given)  # type: ignore[arg-type]


async def listed(connection: asyncpg.Connection, now: int = START, **more: object) -> list[int]:
    return [w.id for w in await windows.list_windows(connection, now=now, **more)]  # type: ignore[arg-type]


@pytest.mark.usefixtures("device")
async def test_window_is_planned_running_over(connection: asyncpg.Connection) -> None:
    planned = await plan(connection, from_at=AT + timedelta(minutes=30))

    assert (planned.device, planned.municipality, planned.state) == ("B-1", None, "planned")
    states = [
        (await windows.get_window(connection, planned.id, now=START + m * MINUTE)).state
        for m in (29, 30, 59, 60)
    ]
    assert states == ["planned", "running", "running", "over"]
    assert await listed(connection, START + 59 * MINUTE) == [planned.id]
    assert await listed(connection, START + 60 * MINUTE) == []
    assert await listed(connection, START + 60 * MINUTE, over=True) == [planned.id]


async def test_windows_of_a_device_are_those_that_cover_it(
    connection: asyncpg.Connection, device: int
) -> None:
    cabinet = await add_device(connection, "CAB-1", kind="cabinet")
    await add_device(connection, "B-2")
    await connection.execute("UPDATE device SET parent_id = $1 WHERE id = $2", cabinet, device)
    town = await connection.fetchval("SELECT name FROM municipality")
    own, above = await plan(connection), await plan(connection, device="CAB-1")
    other, all_of_it = (
        await plan(connection, device="B-2"),
        await plan(connection, device=None, municipality=town),
    )

    assert await listed(connection, device="B-1") == [own.id, above.id, all_of_it.id]
    assert await listed(connection, device="B-2") == [other.id, all_of_it.id]
    assert await listed(connection, municipality=town) == [own.id, above.id, other.id, all_of_it.id]
    assert await listed(connection, after=above.id, limit=1) == [other.id]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"municipality": "tripoli"}, "device"),
        ({"device": None}, "device"),
        ({"until_at": AT}, "until_at"),
        ({"from_at": AT - 2 * HOUR, "until_at": AT - HOUR}, "until_at"),
        ({"until_at": AT + timedelta(days=367)}, "until_at"),
        ({"reason": "  "}, "reason"),
    ],
)
@pytest.mark.usefixtures("device")
async def test_window_that_makes_no_sense_is_refused(
    connection: asyncpg.Connection, given: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await plan(connection, **given)  # type: ignore[arg-type]

    assert refused.value.field == field
    assert await listed(connection, over=True) == []


async def test_window_over_nothing_known_is_refused(connection: asyncpg.Connection) -> None:
    with pytest.raises(NotFound, match="B-1"):
        await plan(connection)
    with pytest.raises(NotFound, match="no maintenance window"):
        await windows.end_window(connection, 7, now=START, by=PLATFORM)


async def test_rules_look_again_once_a_window_is_ended(connection: asyncpg.Connection, device: int) -> None:
    await put(connection)
    window = await plan(connection, minutes=600)
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fill(device, 0, 90))
    await ingestion.commit(fill(device, 10, 90))
    assert await list_alerts(connection) == []

    before = await connection.fetchval(GENERATION)
    ended = await windows.end_window(connection, window.id, now=START + 15 * MINUTE, by=PLATFORM)
    # Ingest sees by the generation that there is something new, and takes it with the next batch.
    assert await connection.fetchval(GENERATION) > before
    await ingestion.rules.reload(connection)
    await ingestion.commit(fill(device, 20, 90))
    await ingestion.commit(fill(device, 30, 90))

    assert (ended.state, ended.until_at) == ("over", AT + timedelta(minutes=15))
    (alert,) = await list_alerts(connection)
    assert alert.opened_at == AT + timedelta(minutes=30)
    with pytest.raises(Conflict, match="over since"):
        await windows.end_window(connection, window.id, now=START + 40 * MINUTE, by=PLATFORM)


@pytest.mark.usefixtures("device")
async def test_window_that_has_not_begun_is_taken_back(connection: asyncpg.Connection) -> None:
    window = await plan(connection, from_at=AT + timedelta(minutes=30))

    assert (await windows.end_window(connection, window.id, now=START, by=PLATFORM)).state == "cancelled"
    assert await listed(connection, over=True) == []


async def test_backtest_rests_in_maintenance_as_live_rules_do(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection)
    await plan(connection, minutes=30)
    ingestion = await Ingestion(connection).start()
    for minute in range(0, 60, 10):
        await ingestion.commit(fill(device, minute, 90))
    registry = await load(connection)
    resting = await maintenance.spans(connection, registry)

    found = {}
    for name, spans in {"resting": resting, "looking": {}}.items():
        trial = Backtest(KINDS["bin"], parse(OVERFLOW, KINDS), registry, spans)
        async for _ in replay_history(connection, [trial], start=START, end=START + 90 * MINUTE):
            pass
        found[name] = [(e.opened_at - START) // MINUTE for e in trial.episodes("overflow")]

    assert found == {"resting": [40], "looking": [10]}
    assert [a.opened_at for a in await list_alerts(connection)] == [AT + timedelta(minutes=40)]


def nabd(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def town(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database with one bin; commands find it."""
    monkeypatch.setenv("NABD_DATABASE", dsn)

    async def fill_in() -> None:
        connection = await connect(dsn)
        await add_device(connection, "B-1")
        await advance(connection)
        await connection.close()

    run(fill_in())


@pytest.mark.usefixtures("town")
def test_command_adds_lists_and_ends_a_window() -> None:
    code, out, _ = nabd("add", "--device", "B-1", "--for", "4h", "--reason", "washing", "--author", "Rima")
    assert (code, out.startswith("window 1 over B-1: "), out.endswith(", running\n")) == (0, True, True)

    code, out, _ = nabd("list", "--device", "B-1", "--json")
    listed = json.loads(out)
    assert (code, listed["reason"], listed["author"], listed["state"]) == (0, "washing", "Rima", "running")
    assert "washing" in nabd("list")[1]

    assert json.loads(nabd("end", "1", "--json")[1])["state"] == "over"
    assert "No window runs or is planned." in nabd("list")[1]
    code, _, err = nabd("end", "1")
    assert (code, "maintenance window 1 has been over since" in err) == (1, True)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--device", "B-2", "--for", "4h"], 1, "no device is called 'B-2'"),
        (["--device", "B-1"], 2, "--until INSTANT or --for 4h"),
        (["--for", "4h"], 1, "name a device or a municipality"),
        (["--device", "B-1", "--until", "2020-01-01T00:00:00Z"], 1, "the end must be later"),
        (["--device", "B-1", "--from", "2h", "--for", "4h"], 2, "write an instant"),
        (["--device", "B-1", "--for", "4 hours"], 2, "write a length of time"),
    ],
)
def test_command_says_what_is_wrong(arguments: list[str], code: int, told: str) -> None:
    found, _, err = nabd("add", "--reason", "washing", *arguments)

    assert found == code
    assert told in " ".join(err.replace("│", " ").split()), err
