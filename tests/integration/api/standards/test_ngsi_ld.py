"""Devices as NGSI-LD entities over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from devices.instants import rfc3339
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.builders import NOON

BIN = "urn:ngsi-ld:WasteContainer:bin-1"
NEAR = {"georel": "near;maxDistance==200", "geometry": "Point", "coordinates": "[35.84,34.43]"}


@pytest.fixture
async def town(connection: asyncpg.Connection) -> None:
    """Two bins, one of them burning, a lamp with its cabinet, and a drone that is in the air."""
    first = await builders.add(connection, "bin-1", lat=34.43, lon=35.84, title="Souk")
    second = await builders.add(connection, "bin-2", lat=34.44, lon=35.85)
    await builders.report(connection, first, fill_pct=62.0, temperature_c=24.5, tilt_deg=1.0)
    await builders.report(connection, second, fill_pct=90.0)
    await builders.fire(connection, second, rule="bin-fire")
    await builders.add(connection, "cab-1", kind="cabinet", lat=34.45, lon=35.86)
    lamp = await builders.add(
        connection, "lamp-1", kind="light", lat=34.45, lon=35.86, attributes={"cabinet": "cab-1"}
    )
    await builders.report(connection, lamp, power_w=88.0, dim_pct=70.0)
    drone = await builders.add(connection, "drone-1", kind="drone")
    await builders.report(connection, drone, lat=34.5, lon=35.9, flight_phase="spraying", alt_m=12.0)


async def ask(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"/ngsi-ld/v1{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(client: httpx2.AsyncClient, **parameters: Any) -> list[str]:
    return [one["id"].rpartition(":")[2] for one in await ask(client, "/entities", **parameters)]


@pytest.mark.usefixtures("town")
async def test_entity_has_the_names_units_and_words_of_its_data_model(client: httpx2.AsyncClient) -> None:
    entity = await ask(client, f"/entities/{BIN}")

    assert entity["type"] == "WasteContainer"
    at = rfc3339(NOON)
    assert entity["fillingLevel"] == {
        "type": "Property", "value": 0.62, "unitCode": "C62", "observedAt": at,
    }  # fmt: skip
    assert entity["temperature"]["value"] == 24.5
    assert entity["tilt_deg"] == {"type": "Property", "value": 1.0, "unitCode": "DD", "observedAt": at}
    assert entity["status"] == {"type": "Property", "value": "ok"}
    assert entity["location"] == {
        "type": "GeoProperty", "value": {"type": "Point", "coordinates": [35.84, 34.43]},
    }  # fmt: skip
    assert entity["name"]["value"] == "Souk"
    assert "fill_pct" not in entity

    lamp = await ask(client, "/entities/urn:ngsi-ld:Streetlight:lamp-1", options="keyValues")
    cabinet = "urn:ngsi-ld:StreetlightControlCabinet:cab-1"
    assert (lamp["powerState"], lamp["illuminanceLevel"], lamp["powerRating"]) == ("on", 0.7, 90.0)
    assert lamp["refStreetlightControlCabinet"] == cabinet
    assert (await ask(client, f"/entities/{cabinet}"))["type"] == "StreetlightControlCabinet"

    drone = await ask(client, "/entities/urn:ngsi-ld:UnmannedAerialVehicle:drone-1", options="keyValues")
    assert (drone["flightStatus"], drone["workStatus"], drone["elevation"]) == ("flight", "work", 12.0)
    assert drone["flight_phase"] == "spraying", "what the model's words cannot say is told beside them"
    assert drone["location"]["coordinates"] == [35.9, 34.5]


@pytest.mark.usefixtures("town")
async def test_entities_are_found_by_type_id_query_and_place(client: httpx2.AsyncClient) -> None:
    assert await ids(client, type="WasteContainer") == ["bin-1", "bin-2"]
    assert await ids(client, type="Streetlight,UnmannedAerialVehicle") == ["drone-1", "lamp-1"]
    iri = "https://smartdatamodels.org/dataModel.WasteManagement/WasteContainer"
    assert await ids(client, type=iri) == ["bin-1", "bin-2"]
    assert await ids(client, id=f"{BIN},urn:ngsi-ld:Streetlight:bin-2,nothing") == ["bin-1"]
    assert await ids(client, idPattern=".*:bin-[2-9]$") == ["bin-2"]
    assert await ids(client, q="fillingLevel>0.8") == ["bin-2"]
    assert await ids(client, q='status=="burning"') == ["bin-2"]
    assert await ids(client, q='fillingLevel<0.8|powerState=="on"') == ["bin-1", "lamp-1"]
    assert await ids(client, attrs="illuminanceLevel") == ["lamp-1"]
    assert await ids(client, **NEAR) == ["bin-1"]
    assert await ids(client, type="Unknown") == []


@pytest.mark.usefixtures("town")
async def test_pages_are_linked_and_counted(client: httpx2.AsyncClient) -> None:
    for query in ("", "&q=name"):
        answer = await client.get(f"/ngsi-ld/v1/entities?limit=2&count=true{query}")
        seen = [one["id"] for one in answer.json()]
        assert answer.headers["NGSILD-Results-Count"] == "5"
        while "next" in answer.links:
            answer = await client.get(answer.links["next"]["url"])
            seen += [one["id"] for one in answer.json()]
        assert len(seen) == len(set(seen)) == 5
        assert "prev" in answer.links
    counted = await client.get("/ngsi-ld/v1/entities?limit=0&count=true&type=WasteContainer")
    assert (counted.json(), counted.headers["NGSILD-Results-Count"]) == ([], "2")


@pytest.mark.usefixtures("town")
async def test_representations_and_media_types_are_those_asked_for(client: httpx2.AsyncClient) -> None:
    path = f"/ngsi-ld/v1/entities/{BIN}?attrs=fillingLevel,name"
    plain = await client.get(path)
    assert plain.headers["content-type"] == "application/json"
    assert plain.links["http://www.w3.org/ns/json-ld#context"]["url"].endswith("/ngsi-ld/v1/context.jsonld")
    concise = (await client.get(f"{path}&options=concise,sysAttrs")).json()
    assert concise["fillingLevel"]["value"] == 0.62
    assert "type" not in concise["fillingLevel"]
    assert concise["createdAt"] < concise["modifiedAt"]

    linked = await client.get(path, headers={"Accept": "application/ld+json"})
    context = (await client.get(linked.json()["@context"])).json()["@context"]
    assert context["fillingLevel"] == "https://smartdatamodels.org/dataModel.WasteManagement/fillingLevel"
    feature = (await client.get(path, headers={"Accept": "application/geo+json"})).json()
    assert (feature["type"], feature["geometry"]["coordinates"]) == ("Feature", [35.84, 34.43])


@pytest.mark.parametrize(
    "query",
    [
        "q=fillingLevel>",
        "georel=near",
        "idPattern=(a",
        "options=pretty",
        "format=xml",
        "geometry=Point",
    ],
)
async def test_query_that_cannot_be_understood_is_a_bad_request(
    client: httpx2.AsyncClient, query: str
) -> None:
    answer = await client.get(f"/ngsi-ld/v1/entities?{query}")

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    "path", ["entities?q=fillingLevel>0.8", "entities?idPattern=.*", "temporal/entities?attrs=name&q=name"]
)
async def test_judging_that_takes_too_long_is_refused(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("api.standards.effort.SECONDS", 0.0)

    answer = await client.get(f"/ngsi-ld/v1/{path}")

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:nabd:problem:range-too-wide")
    assert "ask for less" in answer.json()["detail"]


async def test_unknown_parameter_is_refused(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/ngsi-ld/v1/entities?typ=WasteContainer")).status_code == 422


@pytest.mark.usefixtures("town")
async def test_who_reads_one_municipality_sees_no_entity_of_another(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-9", municipality="nablus")
    token = await builders.token(connection, role=Role.VIEWER, municipality="nablus")
    foreign = {"Authorization": f"Bearer {token}"}

    seen = (await client.get("/ngsi-ld/v1/entities", headers=foreign)).json()
    other = await client.get(f"/ngsi-ld/v1/entities/{BIN}", headers=foreign)
    past = await client.get(f"/ngsi-ld/v1/temporal/entities/{BIN}", headers=foreign)
    counted = (await client.get("/ngsi-ld/v1/types/WasteContainer", headers=foreign)).json()

    assert [one["id"] for one in seen] == ["urn:ngsi-ld:WasteContainer:bin-9"]
    assert (other.status_code, past.status_code, counted["entityCount"]) == (404, 404, 1)


@pytest.mark.usefixtures("town")
async def test_types_and_attributes_are_listed(client: httpx2.AsyncClient) -> None:
    types = await ask(client, "/types")
    assert {"WasteContainer", "Streetlight", "StreetlightControlCabinet", "UnmannedAerialVehicle"} == set(
        types["typeList"]
    )
    one = await ask(client, "/types/WasteContainer")
    assert one["entityCount"] == 2
    assert "fillingLevel" in one["attributeNames"]
    attribute = await ask(client, "/attributes/refStreetlightControlCabinet")
    assert (attribute["attributeTypes"], attribute["typeNames"]) == (["Relationship"], ["Streetlight"])
    assert (await client.get("/ngsi-ld/v1/types/Nothing")).status_code == 404
    assert (await client.get("/ngsi-ld/v1/attributes/nothing")).status_code == 404


async def test_past_is_told_by_instant_newest_first_and_in_parts(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await builders.add(connection, "bin-1")
    at = [NOON + timedelta(minutes=i) for i in range(6)]
    rows = [{"observed_at": t, "fill_pct": 10.0 * i} for i, t in enumerate(at)]
    await builders.store(connection, device, rows)
    path = f"/temporal/entities/{BIN}"

    def values(entity: Any) -> list[float]:
        return [one["value"] for one in entity["fillingLevel"]]

    between = {"timerel": "between", "timeAt": rfc3339(at[1]), "endTimeAt": rfc3339(at[3])}
    assert values(await ask(client, path, **between)) == [0.1, 0.2]
    assert values(await ask(client, path, timerel="after", timeAt=rfc3339(at[4]))) == [0.5]
    assert values(await ask(client, path, timerel="before", timeAt=rfc3339(at[2]))) == [0.0, 0.1]
    assert values(await ask(client, path, lastN=2)) == [0.5, 0.4]
    short = await ask(client, path, lastN=1, options="temporalValues")
    assert short["fillingLevel"] == {"type": "Property", "values": [[0.5, rfc3339(at[5])]]}
    (of_type,) = await ask(client, "/temporal/entities", type="WasteContainer", attrs="fillingLevel", lastN=1)
    assert set(of_type) == {"id", "type", "fillingLevel"}

    monkeypatch.setattr("api.standards.ngsi_ld.past.READINGS", 4)
    monkeypatch.setattr("api.standards.ngsi_ld.past.PAGE", 2)
    part = await client.get(f"/ngsi-ld/v1{path}")
    assert (part.status_code, values(part.json())) == (206, [0.0, 0.1, 0.2, 0.3])
    assert part.headers["Content-Range"] == f"date-time {rfc3339(at[0])}-{rfc3339(at[3])}/*"
    for bad in ({"timerel": "before"}, {"timeAt": rfc3339(NOON)}, {**between, "endTimeAt": rfc3339(at[0])}):
        assert (await client.get(f"/ngsi-ld/v1{path}", params=bad)).status_code == 400
    assert (await client.get("/ngsi-ld/v1/temporal/entities")).status_code == 400
