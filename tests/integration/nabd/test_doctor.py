"""What doctor finds in a database: places and clocks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from devices.codecs.codec import CodecsAway
from devices.codecs.frames import SandboxReady
from devices.codecs.limits import Limits
from devices.codecs.sandboxed import Sandbox
from devices.sources import states
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.states import Counted
from devices.sources.translation import ALL
from nabd import doctor
from nabd.doctor import CheckResult, Verdict, clocks
from nabd.doctor.extension import judged
from nabd.doctor.running.codecs import check_codecs
from nabd.settings import Settings
from store import holder
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.rules.town import add_device
from tests.waiting import now


async def found(dsn: str, tmp_path: Path) -> dict[str, CheckResult]:
    """Return the results by subject."""
    settings = Settings(database=dsn, data_dir=tmp_path)
    return {result.subject: result for result in await doctor.examine(settings)}


async def test_doctor_within_nabd_api_sees_that_it_is_itself_that_listens(tmp_path: Path) -> None:
    """The loop that examines is the one that must answer meanwhile."""

    async def healthy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"status":"ok"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    async with await asyncio.start_server(healthy, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        results = await doctor.examine(Settings(data_dir=tmp_path, http_port=port))

    found = next(result for result in results if result.subject == "port")
    assert (found.verdict, found.said) == (Verdict.FINE, f"nabd api answers on 127.0.0.1:{port}")


async def test_doctor_names_the_device_that_stands_elsewhere(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    await add_device(connection, "B-1")
    assert (await found(dsn, tmp_path))["places"].verdict is Verdict.FINE

    await connection.execute("UPDATE device SET lat = 13.2, lon = 32.9")

    places = (await found(dsn, tmp_path))["places"]
    assert places.verdict is Verdict.NOTE
    assert "B-1: 13.2, 32.9 is" in places.said
    assert "swapped, or a sign lost? 32.9, 13.2 lies in tripoli" in places.said


async def test_doctor_compares_clocks_and_names_what_is_no_zone(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_device(connection, "B-1")
    assert (await found(dsn, tmp_path))["time zones"].said.startswith("Africa/Tripoli: the same clocks")

    monkeypatch.setattr(clocks, "zone_named", lambda _: ZoneInfo("Asia/Beirut"))
    wrong = (await found(dsn, tmp_path))["time zones"]
    assert wrong.verdict is Verdict.NOTE
    assert "the database has another clock for Africa/Tripoli" in wrong.said
    assert "the machine has another clock for Africa/Tripoli" in wrong.said

    await connection.execute("UPDATE municipality SET time_zone = 'localtime'")
    assert "localtime is no time zone" in (await found(dsn, tmp_path))["time zones"].said


async def test_doctor_tells_of_what_is_old_and_still_there(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    never = (await found(dsn, tmp_path))["retention"]
    assert (never.verdict, never.fix) == (Verdict.NOTE, "start `nabd sweep`: it does so")

    await connection.execute(
        "INSERT INTO retention_run (class, looked_at, removed, behind_since) VALUES"
        " ('rejections', now(), 5, NULL), ('ledger', now(), 5, now() - interval '2 hours')"
    )
    assert (await found(dsn, tmp_path))["retention"].verdict is Verdict.FINE

    await connection.execute("UPDATE retention_run SET behind_since = '2026-01-02' WHERE class = 'ledger'")
    behind = (await found(dsn, tmp_path))["retention"]
    assert behind.said == "more is old than was removed: ledger (since 2026-01-02)"
    assert "nabd store status" in behind.fix

    await connection.execute("UPDATE retention_run SET looked_at = looked_at - interval '2 days'")
    unseen = (await found(dsn, tmp_path))["retention"]
    assert unseen.said == "not looked at for a day: ledger, rejections"


async def test_doctor_names_kinds_whose_lengths_nobody_has(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NABD_KIND_RETENTION_DAYS", '{"dorne": {"reading": 30}}')

    assert "kinds that do not exist: dorne" in (await found(dsn, tmp_path))["retention"].said


async def test_doctor_names_who_sends_more_than_it_may(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    assert (await found(dsn, tmp_path))["quotas"].verdict is Verdict.FINE

    for batch, ago in ((1, "1 hour"), (2, "2 days")):
        await connection.execute(
            "INSERT INTO ledger (shard, batch, received_at, messages, received, stored, duplicate, rejected,"
            f" undated) VALUES ('main', $1, now() - interval '{ago}', 9, 9, 0, 0, 9, 0)",
            batch,
        )
        await connection.execute(
            "INSERT INTO ledger_device (shard, batch, device, outcome, readings)"
            " VALUES ('main', $1, 'B-1', 'quota', 7), ('main', $1, 'B-2', 'bad_time', 2)",
            batch,
        )

    over = (await found(dsn, tmp_path))["quotas"]
    assert (over.verdict, over.said) == (Verdict.NOTE, "messages over the quota within a day: B-1 (7)")
    assert "NABD_KIND_QUOTAS" in over.fix


async def test_doctor_tells_whether_alerts_are_posted_to_grafana(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    url = "https://grafana.example.org"
    assert (await found(dsn, tmp_path))["annotations"].said == "no Grafana is posted to"

    await connection.execute("INSERT INTO annotation_place VALUES ($1, 'Nabd', '0', 0)", url)
    ended = (await found(dsn, tmp_path))["annotations"]
    assert (ended.verdict, ended.said) == (Verdict.NOTE, f"nobody posts to {url} just now; no alert waits")
    assert "nabd grafana annotate" in ended.fix

    assert await holder.claim(connection, f"annotate {url}")
    assert (await found(dsn, tmp_path))["annotations"].verdict is Verdict.FINE

    await builders.fire(connection, await builders.add(connection, "bin-1"), at=builders.NOON)
    waits = (await found(dsn, tmp_path))["annotations"]
    assert (waits.verdict, waits.said) == (Verdict.BAD, f"alerts have waited for 10 minutes: {url}")


async def test_check_that_fails_hides_no_other(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    whole = await found(dsn, tmp_path)
    await connection.execute("DROP TABLE annotation_place CASCADE")

    broken = await found(dsn, tmp_path)

    assert broken.keys() == whole.keys()
    assert broken["annotations"].verdict is Verdict.BAD
    assert 'cannot be looked at: relation "annotation_place" does not exist' in broken["annotations"].said
    assert (broken["backup"], broken["ledger"]) == (whole["backup"], whole["ledger"])


async def test_doctor_compares_the_extension_with_its_server(
    dsn: str, timescale_dsn: str, tmp_path: Path
) -> None:
    assert (await found(dsn, tmp_path))["TimescaleDB"].said == "this database does without"
    same = (await found(timescale_dsn, tmp_path))["TimescaleDB"]
    assert (same.verdict, "as its server has it" in same.said) == (Verdict.FINE, True)

    older = judged("2.23.1", "2.24.0")
    assert (older.verdict, older.said) == (Verdict.NOTE, "this database has 2.23.1, its server 2.24.0")
    assert "ALTER EXTENSION timescaledb UPDATE" in older.fix


async def test_doctor_names_codecs_that_cost_messages(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    await add_device(connection, "B-1")
    assert (await found(dsn, tmp_path))["codecs"].verdict is Verdict.FINE

    await connection.executemany(
        "INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)"
        " VALUES ('s', 1, now() - make_interval(hours => $1), '', $2, 'malformed', '', $3, '')",
        [
            (1, "B-1", "codec em 500.js: TypeError: x: y (line 3)"),
            (2, "B-2", "codec em 500.js: ran longer than 100 ms of processor time"),
            (1, "B-1", "not JSON; codec z.js: is no start of a detail"),
            (30, "B-1", "codec old.js: threw null"),
        ],
    )

    codecs = (await found(dsn, tmp_path))["codecs"]
    assert codecs.verdict is Verdict.NOTE
    assert codecs.said == (
        "em 500.js failed, messages: 2, devices: 2, last: ran longer than 100 ms of processor time"
    )


async def test_doctor_tells_where_the_kernel_does_not_confine_codecs(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database=dsn, data_dir=tmp_path, profiles_dir=Path("bench/codecs"))
    started: list[bool] = []

    async def start(limits: Limits) -> Sandbox:
        sandbox = await real(limits)
        started.append(sandbox.ready.confined)
        sandbox.ready = SandboxReady(engine="", confined=confined)
        return sandbox

    real, confined = Sandbox.start, True
    monkeypatch.setattr(Sandbox, "start", start)
    assert (await found(dsn, tmp_path))["codecs"].verdict is Verdict.FINE
    assert started == []  # no profile names a codec

    assert (await check_codecs(connection, settings)).verdict is Verdict.FINE
    confined = False
    told = await check_codecs(connection, settings)
    assert (told.code, told.verdict) == ("N506", Verdict.NOTE)
    assert told.said == "they run without seccomp, confined by limits and an empty environment alone"
    assert len(started) == 2

    async def away(limits: Limits) -> Sandbox:
        raise CodecsAway("no process for codecs can be started: out of memory")

    monkeypatch.setattr(Sandbox, "start", away)
    assert (await check_codecs(connection, settings)).verdict is Verdict.BAD


async def test_doctor_names_sources_that_are_read_in_part_only(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    await builders.add_town(connection)
    for name in ("lora", "old"):
        new = NewSource(name=name, municipality="tripoli", format="chirpstack", url="mqtts://a.example")
        source = await add_source(connection, builders.KINDS, new, ALL, now, by=PLATFORM)
        at = now() - (0 if name == "lora" else 25 * 3600 * 1_000_000)
        lost = Counted(messages=9, readings=9, problems=3, problem="B-1: b = 'low': no number", problem_at=at)
        assert (await found(dsn, tmp_path))["partly read"].verdict is (
            Verdict.FINE if name == "lora" else Verdict.NOTE
        )
        await states.say(connection, source.id, lost, now, connected=True)
        await states.say(connection, source.id, Counted(messages=1), now, connected=True)

    told = (await found(dsn, tmp_path))["partly read"]

    assert (told.code, told.verdict) == ("N507", Verdict.NOTE)
    assert told.said == "lora: 3 since it was added, last: B-1: b = 'low': no number"
    assert "nabd profile test" in told.fix
