"""Readings that people enter: answered once committed, never without their author, judged as any reading."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from devices.instants import rfc3339, to_datetime
from devices.registry import editing
from ingest.decide.clocks import ClockOffset
from people.roles import Role
from rules.catalogue import catalogue
from rules.live.consumer import LiveRules
from rules.loading.files import default_packs
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.incoming.conftest import WayIn
from tests.integration.incoming.hand import B1, L1, ago, entered, post
from tests.waiting import eventually, now


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
    assert row["extra"] == {"hand_reading": told["id"]}
    listed = (await way_in.client.get(B1, headers=rima)).json()["items"]
    assert listed == [told]
    raw = await way_in.client.get(
        "/api/v1/devices/b1/readings", params={"start": rfc3339(ago(days=1))}, headers=rima
    )
    assert raw.json()["readings"][0]["extra"] == {"hand_reading": told["id"]}
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
    assert (row["temperature_c"], row["fill_pct"], row["extra"]) == (
        21,
        55,
        {"hand_reading": added.json()["id"]},
    )


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
    assert later.json()["detail"] == "That time has not come yet"
    assert "later than now" in later.json()["errors"][0]["detail"]
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
    before = await post(way_in, rima, L1, measurements={"energy_kwh": 900}, observed_at=rfc3339(ago(hours=2)))
    asked: dict[str, Any] = {"measurements": {"energy_kwh": 3}, "observed_at": rfc3339(ago(hours=1))}

    fell = await post(way_in, rima, L1, **asked)
    earlier = await post(
        way_in, rima, L1, measurements={"energy_kwh": 800}, observed_at=rfc3339(ago(hours=3))
    )
    confirmed = await post(way_in, rima, L1, **asked, reset=True)

    codes = [one.status_code for one in (before, fell, earlier, confirmed)]
    assert codes == [201, 409, 201, 201]
    assert (fell.json()["confirm"], fell.json()["errors"][0]["last"]) == ("reset", 900)
    values = [row["energy_kwh"] for row in await way_in.town.readings("light")]
    assert values == [800, 900, 3]


async def test_a_counter_that_is_more_than_later_asks_the_same(way_in: WayIn, rima: dict[str, str]) -> None:
    """Somebody writes down today what they read yesterday, with digits too many."""
    await way_in.town.start()
    later: dict[str, Any] = {"measurements": {"energy_kwh": 12345.5}, "observed_at": rfc3339(ago(hours=1))}
    assert (await post(way_in, rima, L1, **later)).status_code == 201
    asked: dict[str, Any] = {"measurements": {"energy_kwh": 123456.7}, "observed_at": rfc3339(ago(hours=2))}

    over = await post(way_in, rima, L1, **asked)
    confirmed = await post(way_in, rima, L1, **asked, reset=True)

    assert (over.status_code, confirmed.status_code) == (409, 201)
    [fault] = over.json()["errors"]
    assert (over.json()["confirm"], fault["last"], fault["later"]) == ("reset", 12345.5, True)
    assert "12345.5" in over.json()["detail"]
    assert "123456.7" in over.json()["detail"]


async def test_a_counter_is_compared_with_what_is_believed(way_in: WayIn, rima: dict[str, str]) -> None:
    town = way_in.town
    await town.start()
    topic = "nabd/v1/tripoli/light/l1/telemetry"
    for hours, kwh in ((3, 900), (2, -5)):
        await town.publish((topic, {"ts": rfc3339(ago(hours=hours)), "energy_kwh": kwh}), client_id="l1")
    await town.received(2)

    fell = await post(way_in, rima, L1, measurements={"energy_kwh": 3})
    fits = await post(way_in, rima, L1, measurements={"energy_kwh": 901})

    assert (fell.status_code, fits.status_code) == (409, 201)
    assert fell.json()["errors"][0]["last"] == 900


async def test_what_is_stored_and_not_believed_is_said(way_in: WayIn, rima: dict[str, str]) -> None:
    """A lamp cannot have used so much in two hours."""
    await way_in.town.start()
    for hours, kwh, suspect in ((3, 900, []), (1, 90_000, ["energy_kwh"])):
        at = rfc3339(ago(hours=hours))

        told = await post(way_in, rima, L1, measurements={"energy_kwh": kwh}, observed_at=at)

        assert (told.status_code, told.json()["suspect"]) == (201, suspect)
    [newest, _] = (await way_in.client.get(L1, headers=rima)).json()["items"]
    again = await post(way_in, rima, L1, measurements={"energy_kwh": 90_000}, observed_at=at)
    assert newest == told.json() == again.json()


async def test_without_an_instant_nothing_is_taken(way_in: WayIn, rima: dict[str, str]) -> None:
    """Sent again after a lost answer it would be another reading."""
    answer = await way_in.client.post(B1, json={"measurements": {"fill_pct": 5}}, headers=rima)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/observed_at")


async def test_where_there_is_no_broker_kinds_have_no_form(way_in: WayIn, rima: dict[str, str]) -> None:
    async def form() -> list[str]:
        kinds = (await way_in.client.get("/api/v1/kinds", headers=rima)).json()["items"]
        return next(list(kind["by_hand"]) for kind in kinds if kind["name"] == "bin")

    assert "fill_pct" in await form()
    way_in.app.state.context = replace(way_in.app.state.context, relaying=None)
    assert await form() == []


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


WITHOUT_VALUES = {"/open-data", "/open-data/catalogue.jsonld"}
READING = re.compile(rb"\b(55|0\.55)\b")


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
        if path not in WITHOUT_VALUES:
            assert READING.search(told.content) or path.endswith("parquet"), f"{path}: {told.content!r}"
    geojson = await way_in.client.get("/open-data/tripoli/bin.geojson")
    assert "55" in geojson.text


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
