"""Readings that people enter: answered once committed, never without their author, judged as any reading."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from api.routes.incoming import answers
from devices.instants import rfc3339, to_datetime
from devices.registry import editing
from ingest.decide.clocks import ClockOffset
from nabd.accounts.grants import Account
from nabd.cli import app
from people.roles import Role
from readings.by_hand.expiry import NEVER_STORED
from rules.catalogue import catalogue
from rules.live.consumer import LiveRules
from rules.loading.files import default_packs
from store.audit import PLATFORM
from store.pool import connect
from tests import parts
from tests.brokers import Mosquitto
from tests.databases import as_account
from tests.integration.api import builders
from tests.integration.incoming.conftest import WayIn
from tests.waiting import eventually, now

B1 = "/api/v1/devices/b1/hand-readings"


def ago(**how: float) -> datetime:
    """Return an instant that lies back, to the second."""
    return to_datetime(now()).replace(microsecond=0) - timedelta(**how)


@pytest.fixture
async def rima(way_in: WayIn) -> dict[str, str]:
    """What a technician of Tripoli shows."""
    token = await builders.token(way_in.town.connection, "rima", role=Role.TECHNICIAN, municipality="tripoli")
    return {"Authorization": f"Bearer {token}"}


async def entered(way_in: WayIn) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await way_in.town.connection.fetch("SELECT * FROM hand_reading ORDER BY id")
    return rows


async def post(way_in: WayIn, who: dict[str, str], path: str = B1, **body: Any) -> Any:
    return await way_in.client.post(path, json=body, headers=who)


async def test_a_reading_by_hand_is_stored_with_its_author(way_in: WayIn, rima: dict[str, str]) -> None:
    await way_in.town.start()
    at = ago(hours=2)

    answer = await post(
        way_in, rima, measurements={"fill_pct": 55, "lid_open": True}, observed_at=rfc3339(at), note="<b>lid"
    )

    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["author"], told["note"], told["observed_at"]) == ("rima", "<b>lid", rfc3339(at))
    [row] = await way_in.town.readings()
    assert (row["name"], row["observed_at"], row["fill_pct"], row["lid_open"]) == ("b1", at, 55, True)
    assert (row["quality"], row["boot"], row["seq"]) == (0, None, None)
    assert row["extra"] == {"by_hand": told["id"]}
    listed = (await way_in.client.get(B1, headers=rima)).json()["items"]
    assert listed == [told]
    raw = await way_in.client.get(
        "/api/v1/devices/b1/readings", params={"start": rfc3339(ago(days=1))}, headers=rima
    )
    assert raw.json()["readings"][0]["extra"] == {"by_hand": told["id"]}
    actions = await way_in.town.connection.fetch(
        "SELECT action, subject, after FROM audit WHERE action LIKE 'reading.%'"
    )
    assert [tuple(one) for one in actions] == [
        (
            "reading.enter",
            "b1",
            {
                "entry": told["id"],
                "observed_at": rfc3339(at),
                "measurements": {"fill_pct": 55, "lid_open": True},
            },
        )
    ]


async def test_the_same_again_is_stored_once_and_another_value_is_a_conflict(
    way_in: WayIn, rima: dict[str, str]
) -> None:
    await way_in.town.start()
    at = rfc3339(ago(minutes=5))

    first = await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=at)
    again = await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=at)
    other = await way_in.client.post(
        B1,
        json={"measurements": {"fill_pct": 60}, "observed_at": at},
        headers={**rima, "Accept-Language": "fr"},
    )

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert first.json() == again.json()
    assert (other.json()["reason"], other.json()["type"]) == ("conflict", "urn:nabd:problem:conflict")
    assert "relevé" in other.json()["detail"]
    assert [row["fill_pct"] for row in await way_in.town.readings()] == [55]
    assert [row["refused"] for row in await entered(way_in)] == [None, "conflict"]
    listed = (await way_in.client.get(B1, headers=rima)).json()["items"]
    assert [one["id"] for one in listed] == [first.json()["id"]]


async def test_what_the_device_said_of_that_instant_stays(way_in: WayIn, rima: dict[str, str]) -> None:
    await way_in.town.start()
    at = ago(minutes=5)
    await way_in.town.publish(
        ("nabd/v1/tripoli/bin/b1/telemetry", {"ts": rfc3339(at), "fill_pct": 10}), client_id="b1"
    )
    await way_in.town.received(1)

    answer = await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=rfc3339(at))

    assert answer.status_code == 409
    [row] = await way_in.town.readings()
    assert (row["fill_pct"], row["extra"]) == (10, None)


async def test_a_device_whose_readings_come_in_parts_takes_what_is_new(
    way_in: WayIn, rima: dict[str, str]
) -> None:
    await editing.edit_device(
        way_in.town.connection,
        builders.KINDS,
        "b1",
        {"attributes": {"merge": True}},
        now=now,
        by=PLATFORM,
    )
    await way_in.town.start()
    at = ago(minutes=5)
    await way_in.town.publish(
        ("nabd/v1/tripoli/bin/b1/telemetry", {"ts": rfc3339(at), "temperature_c": 21}), client_id="b1"
    )
    await way_in.town.received(1)

    added = await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=rfc3339(at))
    against = await post(way_in, rima, measurements={"temperature_c": 30}, observed_at=rfc3339(at))

    assert (added.status_code, against.status_code) == (201, 409)
    [row] = await way_in.town.readings()
    assert (row["temperature_c"], row["fill_pct"], row["extra"]) == (21, 55, {"by_hand": added.json()["id"]})


async def test_a_device_with_a_fast_clock_takes_the_instant_as_it_was_told(
    way_in: WayIn, rima: dict[str, str]
) -> None:
    """The device's own times of then are put right; a person's are right."""
    at = ago(minutes=30)
    micros = int(at.timestamp()) * 1_000_000
    offset = ClockOffset(first=micros - 3_600_000_000, last=micros + 3_600_000_000, ahead=7_200_000_000)
    await way_in.town.connection.execute(
        "INSERT INTO clock_offset (device_id, covers, ahead, created_at)"
        " SELECT id, tstzrange($1, $2, '[]'), $3, $2 FROM device WHERE name = 'b1'",
        to_datetime(offset.first),
        to_datetime(offset.last),
        timedelta(microseconds=offset.ahead),
    )
    await way_in.town.start()

    answer = await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=rfc3339(at))

    assert answer.status_code == 201
    [row] = await way_in.town.readings()
    assert (row["observed_at"], row["quality"]) == (at, 0)


BAD = [
    ({"fill_pct": 130}, "measurements/fill_pct", "at most 100 %"),
    ({"fill_pct": "half"}, "measurements/fill_pct", "write a number"),
    ({"lid_open": 1}, "measurements/lid_open", "say true or false"),
    ({"rssi_dbm": -80}, "measurements/rssi_dbm", "no such measurement for people"),
    ({"fil_pct": 55}, "measurements/fil_pct", "fill_pct"),
    ({"fill_pct": None}, "measurements", "at least one value"),
]


async def test_what_cannot_be_is_refused_before_it_is_sent(way_in: WayIn, rima: dict[str, str]) -> None:
    for measurements, pointer, said in BAD:
        answer = await post(way_in, rima, measurements=measurements)

        assert answer.status_code == 422, measurements
        assert answer.json()["errors"][0]["pointer"] == f"#/{pointer}"
        assert said in answer.json()["detail"]
    later = await post(way_in, rima, measurements={"fill_pct": 5}, observed_at=rfc3339(ago(minutes=-10)))
    long = await post(way_in, rima, measurements={"fill_pct": 5}, note="x" * 1_001)
    assert (later.status_code, long.status_code) == (422, 422)
    assert "later than now" in later.json()["detail"]
    assert await entered(way_in) == []


async def test_what_is_older_than_what_is_kept_is_rejected_by_ingest(
    way_in: WayIn, rima: dict[str, str]
) -> None:
    await way_in.town.start()

    answer = await post(way_in, rima, measurements={"fill_pct": 5}, observed_at="1999-12-31T00:00:00Z")

    assert (answer.status_code, answer.json()["reason"], answer.json()["pointer"]) == (422, "bad_time", "/ts")
    assert await way_in.town.readings() == []
    audited = await way_in.town.connection.fetch("SELECT action FROM audit ORDER BY id DESC LIMIT 2")
    assert [row["action"] for row in audited] == ["reading.refused", "reading.enter"]


async def test_a_counter_that_falls_asks_whether_the_meter_was_replaced(
    way_in: WayIn, rima: dict[str, str]
) -> None:
    await way_in.town.start()
    path = "/api/v1/devices/l1/hand-readings"
    before = await post(
        way_in, rima, path, measurements={"energy_kwh": 900}, observed_at=rfc3339(ago(hours=2))
    )
    asked: dict[str, Any] = {"measurements": {"energy_kwh": 3}, "observed_at": rfc3339(ago(hours=1))}

    fell = await post(way_in, rima, path, **asked)
    earlier = await post(
        way_in, rima, path, measurements={"energy_kwh": 800}, observed_at=rfc3339(ago(hours=3))
    )
    confirmed = await post(way_in, rima, path, **asked, reset=True)

    codes = [one.status_code for one in (before, fell, earlier, confirmed)]
    assert codes == [201, 409, 201, 201]
    assert (fell.json()["confirm"], fell.json()["errors"][0]["last"]) == ("reset", 900)
    values = [row["energy_kwh"] for row in await way_in.town.readings("light")]
    assert values == [800, 900, 3]


async def test_who_may_not_and_what_is_not_there(way_in: WayIn, rima: dict[str, str]) -> None:
    connection = way_in.town.connection
    viewer = await builders.token(connection, "looks", role=Role.VIEWER, municipality="tripoli")
    await builders.add_town(connection, "nablus")
    elsewhere = await builders.token(connection, "else", role=Role.TECHNICIAN, municipality="nablus")
    await editing.retire_device(connection, "b2", "sold", now=now, by=PLATFORM)
    one = {"fill_pct": 5}

    watching = await post(way_in, {"Authorization": f"Bearer {viewer}"}, measurements=one)
    foreign = await post(way_in, {"Authorization": f"Bearer {elsewhere}"}, measurements=one)
    unknown = await post(way_in, rima, "/api/v1/devices/b77/hand-readings", measurements=one)
    retired = await post(way_in, rima, "/api/v1/devices/b2/hand-readings", measurements=one)
    gateway = await post(way_in, rima, "/api/v1/devices/g1/hand-readings", measurements=one)

    codes = [answer.status_code for answer in (watching, foreign, unknown, retired, gateway)]
    assert codes == [403, 404, 404, 409, 422]
    assert "retired" in retired.json()["detail"]
    of_gateway = await way_in.client.get("/api/v1/devices/g1/hand-readings", headers=rima)
    assert of_gateway.json() == {"items": [], "next": None}
    assert await entered(way_in) == []


async def test_the_ministry_sees_that_it_was_entered_and_not_by_whom(
    way_in: WayIn, rima: dict[str, str]
) -> None:
    await way_in.town.start()
    await post(way_in, rima, measurements={"fill_pct": 55}, note="Rima was here")
    ministry = await builders.token(way_in.town.connection, "ministry", role=Role.MINISTRY)

    seen = await way_in.client.get(B1, headers={"Authorization": f"Bearer {ministry}"})

    [one] = seen.json()["items"]
    assert (one["measurements"], one["author"], one["note"]) == ({"fill_pct": 55}, None, None)


WAYS_OUT = (
    "/open-data",
    "/open-data/catalogue.jsonld",
    "/open-data/tripoli/bin.csv",
    "/open-data/tripoli/bin.geojson",
    "/open-data/tripoli/bin.parquet",
    "/ngsi-ld/v1/entities?type=WasteContainer&options=sysAttrs",
    "/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:WasteContainer:b1",
    "/sensorthings/v1.1/Things?$expand=Datastreams($expand=Observations)",
    "/api/v1/devices/b1/readings?format=csv",
    "/api/v1/devices/b1/readings?format=parquet",
    "/api/v1/devices/b1/readings",
    "/api/v1/latest",
    "/api/v1/standings",
)


async def test_no_way_out_tells_who_entered_it(way_in: WayIn) -> None:
    town = way_in.town
    token = await builders.token(town.connection, "Rima Haddad", role=Role.ADMIN)
    admin = {"Authorization": f"Bearer {token}"}
    await town.start()
    entered = await post(way_in, admin, measurements={"fill_pct": 55}, note="ask Samir")
    chosen = {"licence": "CC-BY-4.0"}
    await way_in.client.put("/api/v1/municipalities/tripoli/open-data", json=chosen, headers=admin)

    async def flushed() -> bool:
        latest = await way_in.client.get("/api/v1/devices/b1/latest", headers=admin)
        return latest.status_code == 200

    assert entered.status_code == 201
    await eventually(flushed)
    for path in WAYS_OUT:
        told = await way_in.client.get(path, headers=admin)

        assert told.status_code == 200, f"{path}: {told.text}"
        assert b"Rima" not in told.content, path
        assert b"Samir" not in told.content, path
    geojson = await way_in.client.get("/open-data/tripoli/bin.geojson")
    assert "55" in geojson.text


async def test_without_ingest_nothing_half_is_left(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and the author is kept but told nowhere; sent again it is the one reading, with its author."""
    monkeypatch.setattr(answers, "ANSWER_S", 1.0)
    asked: dict[str, Any] = {"measurements": {"fill_pct": 55}, "observed_at": rfc3339(ago(minutes=1))}

    early = await post(way_in, rima, **asked)

    assert (early.status_code, early.headers["Retry-After"]) == (503, "30")
    assert (await way_in.client.get(B1, headers=rima)).json()["items"] == []
    assert [row["stored_at"] for row in await entered(way_in)] == [None]
    monkeypatch.setattr(answers, "ANSWER_S", 20.0)
    await way_in.town.start()
    assert (await post(way_in, rima, **asked)).status_code == 201
    [row] = await way_in.town.readings()
    [entry] = await entered(way_in)
    assert row["extra"] == {"by_hand": entry["id"]}
    assert entry["stored_at"] is not None


async def test_who_dies_between_reading_and_answer_leaves_both_or_neither(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API dies before it keeps the receipt: what is stored has its author, and what is not goes."""
    monkeypatch.setattr(answers, "ANSWER_S", 0.5)
    at, lost = rfc3339(ago(minutes=2)), rfc3339(ago(minutes=1))
    await way_in.town.start()

    async def died(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr("readings.by_hand.entries.settle", died)
        with pytest.raises(asyncio.CancelledError):
            await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=at)
    await way_in.town.shut_down()
    assert (await post(way_in, rima, measurements={"fill_pct": 60}, observed_at=lost)).status_code == 503

    rows = await way_in.town.readings()
    assert [row["fill_pct"] for row in rows] == [55]
    listed = (await way_in.client.get(B1, headers=rima)).json()["items"]
    assert [(one["author"], one["measurements"]) for one in listed] == [("rima", {"fill_pct": 55})]
    assert [row["stored_at"] for row in await entered(way_in)] == [None, None]
    connection = await connect(as_account(way_in.town.dsn, Account.SWEEP))
    tomorrow = to_datetime(now()) + timedelta(days=1)
    assert await NEVER_STORED.forget_before(connection, tomorrow, limit=100, now=tomorrow) == 2
    [kept] = await entered(way_in)
    assert (kept["id"], kept["stored_at"]) == (listed[0]["id"], rows[0]["received_at"])
    assert await NEVER_STORED.oldest(connection) is None
    await connection.close()


async def test_while_the_broker_is_away_it_is_to_be_sent_again(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.need_mosquitto()
    broker = way_in.town.broker
    assert isinstance(broker, Mosquitto)
    monkeypatch.setattr(answers, "ANSWER_S", 1.0)
    await way_in.town.start()
    asked: dict[str, Any] = {"measurements": {"fill_pct": 55}, "observed_at": rfc3339(ago(minutes=1))}
    broker.stop()

    away = await post(way_in, rima, **asked)

    assert (away.status_code, away.headers["Retry-After"]) == (503, "30")
    assert (await way_in.client.get(B1, headers=rima)).json()["items"] == []
    broker.start()

    async def stored() -> bool:
        return bool((await post(way_in, rima, **asked)).status_code == 201)

    await eventually(stored)
    [row], [entry] = await way_in.town.readings(), await entered(way_in)
    assert row["extra"] == {"by_hand": entry["id"]}


async def test_somebody_enters_one_at_a_terminal(way_in: WayIn, monkeypatch: pytest.MonkeyPatch) -> None:
    town = way_in.town
    monkeypatch.setenv("NABD_DATABASE", town.dsn)
    monkeypatch.setenv("NABD_BROKER", f"mqtt://{town.broker.host}:{town.broker.port}")
    await town.start()

    async def nabd(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, ["device", *arguments])

    stored = await nabd("read", "b1", "fill_pct=55", "lid_open=yes", "--at", "2h", "--note", "lid", "--json")
    wrong = await nabd("read", "b1", "fill_pct=155")
    fell = [await nabd("read", "l1", f"energy_kwh={kwh}") for kwh in (900, 3)]
    listed = await nabd("readings-by-hand", "b1", "--json")

    assert stored.exit_code == 0, stored.output
    said = json.loads(stored.output)
    assert (said["device"], said["measurements"]) == ("b1", {"fill_pct": 55, "lid_open": True})
    [row] = await town.readings()
    assert (row["extra"], row["fill_pct"]) == ({"by_hand": said["id"]}, 55)
    assert (wrong.exit_code, "at most 100 %" in wrong.output) == (1, True)
    assert [one.exit_code for one in fell] == [0, 1]
    assert "--reset" in fell[1].output
    assert json.loads(listed.output) == said


async def test_a_fire_that_somebody_enters_is_an_alert(way_in: WayIn, rima: dict[str, str]) -> None:
    town = way_in.town
    await catalogue.apply(town.connection, default_packs(builders.KINDS), now())
    rules = LiveRules(builders.KINDS)
    await rules.load(town.connection, "main")
    town.consumers.append(rules)
    await town.start()
    cool, hot = ago(minutes=20), ago(minutes=10)

    await post(way_in, rima, measurements={"temperature_c": 24}, observed_at=rfc3339(cool))
    await post(way_in, rima, measurements={"temperature_c": 142}, observed_at=rfc3339(hot), note="flames")

    [alert] = (await way_in.client.get("/api/v1/alerts", headers=rima)).json()["items"]
    assert (alert["rule"], alert["device"], alert["severity"]) == ("bin-fire", "b1", "critical")
    assert alert["opened_at"] == rfc3339(hot)


async def test_two_who_send_the_same_at_once_make_one_reading(way_in: WayIn, rima: dict[str, str]) -> None:
    await way_in.town.start()
    asked: dict[str, Any] = {"measurements": {"fill_pct": 55}, "observed_at": rfc3339(ago(minutes=1))}

    found = await asyncio.gather(*(post(way_in, rima, **asked) for _ in range(5)))

    assert {answer.status_code for answer in found} == {201}
    assert len({answer.json()["id"] for answer in found}) == 1
    assert len(await way_in.town.readings()) == 1

    async def settled() -> bool:
        return all(row["stored_at"] for row in await entered(way_in))

    await eventually(settled)
