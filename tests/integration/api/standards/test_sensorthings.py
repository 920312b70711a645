"""Devices as OGC SensorThings over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from devices.instants import rfc3339, to_microseconds
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.builders import NOON

ROOT = "/sensorthings/v1.1"
STREAM = "Datastreams('bin-1:fill_pct')"
AT = [NOON + timedelta(minutes=10 * i) for i in range(6)]


@pytest.fixture
async def town(connection: asyncpg.Connection) -> None:
    """A bin with six readings, which tells its temperature in the last one alone, and a lamp."""
    device = await builders.add(connection, "bin-1", lat=34.43, lon=35.84, title="Souk")
    rows = [{"observed_at": t, "fill_pct": 10.0 * i} for i, t in enumerate(AT)]
    rows[5]["temperature_c"] = 21.5
    await builders.store(connection, device, rows)
    await builders.report(connection, device, at=AT[5], fill_pct=50.0, temperature_c=21.5)
    await builders.add(connection, "lamp-1", kind="light", lat=34.5, lon=35.9)


async def ask(client: httpx2.AsyncClient, path: str, **options: Any) -> Any:
    answer = await client.get(f"{ROOT}/{path}", params={f"${k}": v for k, v in options.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found: Any) -> list[str]:
    return [one["@iot.id"] for one in found["value"]]


def results(found: Any) -> list[float]:
    return [one["result"] for one in found["value"]]


@pytest.mark.usefixtures("town")
async def test_service_leads_to_every_set_and_every_link_leads_on(client: httpx2.AsyncClient) -> None:
    service = (await client.get(ROOT)).json()
    assert [one["name"] for one in service["value"]] == [
        "Things", "Locations", "HistoricalLocations", "Datastreams", "Sensors", "ObservedProperties",
        "Observations", "FeaturesOfInterest",
    ]  # fmt: skip
    followed = 0
    for one in service["value"]:
        options = {"$filter": "Datastream/id eq 'bin-1:fill_pct'"} if one["name"] == "Observations" else {}
        found = (await client.get(one["url"], params={"$top": 2, **options})).json()
        assert found["value"], one
        entity = (await client.get(found["value"][0]["@iot.selfLink"])).json()
        assert entity == found["value"][0]
        for name, link in entity.items():
            if name.endswith("@iot.navigationLink"):
                assert (await client.get(link)).status_code == 200, link
                followed += 1
    assert followed == 16


@pytest.mark.usefixtures("town")
async def test_device_is_a_thing_with_place_streams_and_observations(client: httpx2.AsyncClient) -> None:
    found = await ask(
        client,
        "Things('bin-1')",
        expand="Locations,Datastreams($filter=name eq 'Souk: Fill';"
        "$expand=ObservedProperty,Sensor,Observations($top=1;$orderby=phenomenonTime desc))",
    )

    assert (found["name"], found["properties"]["municipality"]) == ("Souk", "tripoli")
    assert found["Locations"][0]["location"] == {"type": "Point", "coordinates": [35.84, 34.43]}
    (stream,) = found["Datastreams"]
    assert stream["@iot.id"] == "bin-1:fill_pct"
    assert stream["unitOfMeasurement"]["symbol"] == "%"
    assert stream["observationType"].endswith("OM_Measurement")
    assert stream["ObservedProperty"]["definition"].endswith("WasteManagement/fillingLevel")
    assert stream["Sensor"]["metadata"] == "WasteContainer"
    (newest,) = stream["Observations"]
    assert (newest["result"], newest["phenomenonTime"]) == (50.0, rfc3339(AT[5]))
    rest = (await client.get(stream["Observations@iot.nextLink"])).json()
    assert results(rest) == [40.0]


@pytest.mark.usefixtures("town")
async def test_observations_are_filtered_sorted_paged_and_counted(client: httpx2.AsyncClient) -> None:
    path = f"{STREAM}/Observations"
    assert results(await ask(client, path)) == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert results(await ask(client, path, filter="result gt 15 and result lt 40")) == [20.0, 30.0]
    span = f"phenomenonTime ge {rfc3339(AT[1])} and phenomenonTime lt {rfc3339(AT[3])}"
    assert results(await ask(client, path, filter=span)) == [10.0, 20.0]
    assert results(await ask(client, path, orderby="result desc", top=2)) == [50.0, 40.0]
    assert results(await ask(client, path, orderby="phenomenonTime desc", top=2, skip=1)) == [40.0, 30.0]
    first = await ask(client, path, top=4, count="true")
    assert first["@iot.count"] == 6
    second = (await client.get(first["@iot.nextLink"])).json()
    assert results(first) + results(second) == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert "@iot.nextLink" not in second
    assert (await ask(client, path, top=0, count="true"))["@iot.count"] == 6

    sparse = await ask(client, "Datastreams('bin-1:temperature_c')/Observations", top=5)
    assert results(sparse) == [21.5]
    of_place = await ask(client, "FeaturesOfInterest('bin-1')/Observations", filter="result eq 21.5")
    assert results(of_place) == [21.5]
    of_town = await ask(client, "Observations", filter="Datastream/Thing/id eq 'bin-1' and result gt 45")
    assert results(of_town) == [50.0]


@pytest.mark.usefixtures("town")
async def test_single_entities_properties_values_and_links_have_addresses(client: httpx2.AsyncClient) -> None:
    one = f"bin-1:fill_pct:{to_microseconds(AT[2])}"
    assert (await ask(client, f"Observations('{one}')"))["result"] == 20.0
    assert (await ask(client, f"Observations('{one}')/Datastream/Thing"))["@iot.id"] == "bin-1"
    assert (await ask(client, f"{STREAM}/Observations('{one}')"))["@iot.id"] == one
    assert await ask(client, "Things('bin-1')/name") == {"name": "Souk"}
    assert (await client.get(f"{ROOT}/Things('bin-1')/name/$value")).text == "Souk"
    links = await ask(client, "Things('bin-1')/Datastreams/$ref", top=1)
    assert [list(link) for link in links["value"]] == [["@iot.selfLink"]]
    assert ids(await ask(client, "Sensors('light')/Datastreams", top=1)) == ["lamp-1:power_w"]
    assert ids(await ask(client, "ObservedProperties('bin:fill_pct')/Datastreams")) == ["bin-1:fill_pct"]
    chosen = await ask(client, "Things", select="id,name", orderby="name desc")
    assert chosen["value"] == [{"@iot.id": "lamp-1", "name": "lamp-1"}, {"@iot.id": "bin-1", "name": "Souk"}]


@pytest.mark.usefixtures("town")
async def test_things_are_found_by_place_and_by_what_they_lead_to(client: httpx2.AsyncClient) -> None:
    square = "geography'POLYGON ((35.8 34.4, 35.85 34.4, 35.85 34.45, 35.8 34.45, 35.8 34.4))'"
    assert ids(await ask(client, "Things", filter=f"st_within(Locations/location, {square})")) == ["bin-1"]
    assert ids(await ask(client, "Locations", filter=f"st_within(location, {square})")) == ["bin-1"]
    by_property = "Datastreams/ObservedProperty/name eq 'Power'"
    assert ids(await ask(client, "Things", filter=by_property)) == ["lamp-1"]
    pages = await ask(client, "Things", top=1, count="true")
    assert (pages["@iot.count"], ids((await client.get(pages["@iot.nextLink"])).json())) == (2, ["lamp-1"])


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Things?$filter=nosuch eq 5", 400),
        ("Things?$filter=name eq", 400),
        ("Things?$expand=Observations", 400),
        ("Things?$select=nosuch", 400),
        ("Things('bin-1')?$top=1", 400),
        ("Things?$filter=Datastreams/Observations/result gt 5", 400),
        ("Things?$filter=Datastreams/Thing/Datastreams/Thing/name eq 'x'", 400),
        ("Things('nobody')", 404),
        ("Nothings", 404),
        ("Things/Datastreams", 404),
        ("Things('bin-1')/nosuch", 404),
        ("Observations('bin-1:fill_pct:5')", 404),
        ("Observations('bin-1:fill_pct:99999999999999999')", 404),
        ("Datastreams('bin-1:nosuch')", 404),
        ("$value", 404),
        ("Things?$nosuch=5", 422),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    client: httpx2.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(f"{ROOT}/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    "path",
    [
        "Things?$filter=name eq 'x'",
        "Datastreams?$orderby=name",
        "Observations?$filter=result gt 5",
        "Things?$expand=Datastreams($filter=name eq 'x')",
    ],
)
async def test_judging_that_takes_too_long_is_refused(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("api.standards.effort.SECONDS", 0.0)

    answer = await client.get(f"{ROOT}/{path}")

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:nabd:problem:range-too-wide")
    assert "ask for less" in answer.json()["detail"]


async def test_observations_of_a_whole_city_are_not_read_at_once(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        device = await builders.add(connection, f"bin-{n}")
        await builders.store(connection, device, [{"observed_at": t, "fill_pct": 1.0} for t in AT])
    monkeypatch.setattr("api.standards.sensorthings.observations.DEVICES", 2)
    wide = await client.get(f"{ROOT}/Observations")
    monkeypatch.setattr("api.standards.sensorthings.observations.DEVICES", 5)
    several = (await client.get(f"{ROOT}/Observations?$top=4")).json()

    assert (wide.status_code, wide.json()["type"]) == (422, "urn:nabd:problem:range-too-wide")
    assert [one["phenomenonTime"] for one in several["value"]] == [rfc3339(t) for t in (*AT[:1] * 3, AT[1])]


@pytest.mark.usefixtures("town")
async def test_who_reads_one_municipality_sees_nothing_of_another(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-9", municipality="nablus")
    token = await builders.token(connection, role=Role.VIEWER, municipality="nablus")
    foreign = {"Authorization": f"Bearer {token}"}

    things = (await client.get(f"{ROOT}/Things?$count=true", headers=foreign)).json()
    streams = (await client.get(f"{ROOT}/Sensors('bin')/Datastreams", headers=foreign)).json()
    other = await client.get(f"{ROOT}/{STREAM}/Observations", headers=foreign)

    assert (ids(things), things["@iot.count"]) == (["bin-9"], 1)
    assert {one.split(":")[0] for one in ids(streams)} == {"bin-9"}
    assert other.status_code == 404
