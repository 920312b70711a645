"""Sources by HTTP: for whoever manages the devices of their municipality, and never with their secrets."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import httpx2

from devices.credentials.authority import new_authority
from devices.sources import states
from devices.sources.listing import get_source, secret_of
from devices.sources.states import Counted
from devices.sources.translation import ALL
from people.roles import Role
from tests.integration.api import builders

LORA = {
    "name": "lora",
    "municipality": "tripoli",
    "format": "chirpstack",
    "url": "mqtts://lora.example",
    "username": "us",
    "secret": "s3cret",
}


async def test_a_source_is_added_changed_and_removed_and_its_secret_never_told(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)

    added = await client.post("/api/v1/sources", json=LORA)
    assert (added.status_code, added.headers["Location"]) == (201, "/api/v1/sources/lora")
    assert (added.json()["gateway"], added.json()["has_secret"], added.json()["state"]) == (
        "lora",
        True,
        None,
    )
    source = await get_source(connection, "lora")
    await states.say(
        connection, source.id, Counted(messages=2, readings=1, rejected=1), builders.now, connected=True
    )
    changed = await client.patch("/api/v1/sources/lora", json={"profile": "milesight-em310-udl"})
    listed = await client.get("/api/v1/sources")

    assert changed.json()["profile"] == "milesight-em310-udl"
    assert [one | {"secret": None} for one in listed.json()["items"]] == [changed.json()]
    assert listed.json()["items"][0]["state"]["readings"] == 1
    assert await secret_of(connection, source) == "s3cret"
    for answer in (added, changed, listed):
        assert "s3cret" not in answer.text
    assert "s3cret" not in str(await connection.fetch("SELECT before, after FROM audit"))
    assert (await client.delete("/api/v1/sources/lora")).status_code == 204
    assert (await client.get("/api/v1/sources/lora")).status_code == 404


async def test_what_cannot_be_a_source_is_refused_with_its_field(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)

    refused = await client.post("/api/v1/sources", json={**LORA, "format": "chirpstak"})

    assert refused.status_code == 422
    assert "chirpstack" in refused.text


async def test_sources_of_another_municipality_are_not_there(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await builders.add_town(connection, "saida")
    await client.post("/api/v1/sources", json=LORA)
    token = await builders.token(connection, role=Role.ADMIN, municipality="saida")
    theirs = {"Authorization": f"Bearer {token}"}

    assert (await client.get("/api/v1/sources", headers=theirs)).json()["items"] == []
    assert (await client.get("/api/v1/sources/lora", headers=theirs)).status_code == 404
    assert (await client.patch("/api/v1/sources/lora", json={}, headers=theirs)).status_code == 404
    assert (await client.post("/api/v1/sources", json=LORA, headers=theirs)).status_code == 404


async def test_a_secret_goes_to_nobody_but_whom_it_was_told_for(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await client.post("/api/v1/sources", json=LORA)
    source = await get_source(connection, "lora")

    for change in (
        {"url": "mqtt://mine.example"},
        {"url": "", "topics": ["foreign/tripoli/#"]},
        {"username": "another"},
        {"way": "webhook", "url": "", "topics": []},
    ):
        refused = await client.patch("/api/v1/sources/lora", json=change)
        assert refused.status_code == 422, change
        assert "secret" in refused.text
    assert (await get_source(connection, "lora")).url == LORA["url"]

    moved = await client.patch("/api/v1/sources/lora", json={"url": "mqtts://other.example", "secret": ""})
    assert (moved.status_code, moved.json()["has_secret"]) == (200, False)
    assert await secret_of(connection, source) == ""
    told = {"url": "mqtts://third.example", "secret": "another"}
    assert (await client.patch("/api/v1/sources/lora", json=told)).json()["has_secret"]
    assert (await client.patch("/api/v1/sources/lora", json={"enabled": False})).json()["has_secret"]


async def test_who_manages_one_municipality_hears_no_other_on_our_own_broker(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    token = await builders.token(connection, role=Role.ADMIN, municipality="tripoli")
    theirs = {"Authorization": f"Bearer {token}"}
    new = {"name": "own", "municipality": "tripoli", "format": "senml_json", "topics": ["foreign/#"]}

    refused = await client.post("/api/v1/sources", json=new, headers=theirs)
    assert (refused.status_code, "foreign/tripoli/#" in refused.text) == (422, True)
    allowed = {**new, "topics": ["foreign/tripoli/#"]}
    assert (await client.post("/api/v1/sources", json=allowed, headers=theirs)).status_code == 201
    wider = await client.patch("/api/v1/sources/own", json={"topics": ["foreign/+/x"]}, headers=theirs)
    assert wider.status_code == 422

    assert (await client.patch("/api/v1/sources/own", json={"topics": ["foreign/+/x"]})).status_code == 200
    kept = await client.patch("/api/v1/sources/own", json={"enabled": False}, headers=theirs)
    assert kept.status_code == 200, kept.text
    receipts = {"topics": ["nabd/v1/+/gateway/+/receipt"]}
    assert (await client.patch("/api/v1/sources/own", json=receipts)).status_code == 422


async def test_a_webhook_without_a_secret_gets_one_that_is_told_once(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    hook = {"name": "hook", "municipality": "tripoli", "format": "chirpstack", "way": "webhook"}

    added = (await client.post("/api/v1/sources", json=hook)).json()

    made = added.pop("secret")
    assert made.startswith("whsec_")
    assert await secret_of(connection, await get_source(connection, "hook")) == made
    assert (await client.get("/api/v1/sources/hook")).json() == added
    for weak in ("x" * 15, "whsec_", "whsec_AAAAAAAAAAAAAAAA"):
        refused = await client.patch("/api/v1/sources/hook", json={"secret": weak})
        assert (refused.status_code, "at least 16" in refused.text) == (422, True)
    native = {**hook, "name": "http", "format": "nabd"}
    assert (await client.post("/api/v1/sources", json=native)).json()["secret"] is None


async def test_a_delivery_with_another_secret_leaves_a_webhook_connected(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    hook = {"name": "hook", "municipality": "tripoli", "format": "chirpstack", "way": "webhook"}
    await client.post("/api/v1/sources", json=hook)
    source = await get_source(connection, "hook")
    at = builders.now()

    await states.say(connection, source.id, Counted(messages=1), builders.now, connected=True)
    refused = Counted(refused=2, refused_at=at)
    await states.say(connection, source.id, refused, builders.now, connected=None)

    state = (await client.get("/api/v1/sources/hook")).json()["state"]
    assert (state["connected"], state["messages"], state["refused"]) == (True, 1, 2)
    assert state["refused_at"] is not None


async def test_what_is_read_in_part_only_is_told_with_the_last_of_it(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await client.post("/api/v1/sources", json=LORA)
    source = await get_source(connection, "lora")
    lost = Counted(messages=2, readings=2, problems=2, problem="b1: b = 'low'", problem_at=builders.now())

    await states.say(connection, source.id, lost, builders.now, connected=True)
    await states.say(connection, source.id, Counted(messages=1), builders.now, connected=True)

    state = (await client.get("/api/v1/sources/lora")).json()["state"]
    assert (state["messages"], state["problems"], state["problem"]) == (3, 2, "b1: b = 'low'")
    assert state["problem_at"] is not None
    metrics = await client.get("/metrics")
    assert 'nabd_source_problems_total{source="lora"} 2.0' in metrics.text


async def test_what_is_left_of_a_stream_is_counted(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await client.post("/api/v1/sources", json=LORA)
    source = await get_source(connection, "lora")

    for _ in range(2):
        counted = Counted(messages=2, readings=1, unread=3)
        await states.say(connection, source.id, counted, builders.now, connected=True)

    state = (await client.get("/api/v1/sources/lora")).json()["state"]
    assert (state["readings"], state["unread"]) == (2, 6)
    metrics = await client.get("/metrics")
    assert 'nabd_source_readings_total{outcome="unread",source="lora"} 6.0' in metrics.text


async def test_drones_are_heard_by_a_broker_and_not_posted(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    drones = {**LORA, "name": "drones", "format": "mavlink", "topics": ["fleet/#"]}

    added = await client.post("/api/v1/sources", json=drones)
    posted = await client.post(
        "/api/v1/sources",
        json={"name": "posted", "municipality": "tripoli", "way": "webhook", "format": "mavlink"},
    )

    assert added.status_code == 201, added.text
    assert posted.status_code == 422
    assert "mavlink comes by a broker" in posted.text
    formats = (await client.get("/api/v1/sources")).json()["formats"]
    assert {"format": "mavlink", "ways": ["mqtt"]} in formats


async def test_a_source_whose_process_gives_no_sign_of_life_is_not_alive(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await client.post("/api/v1/sources", json=LORA)
    hook = {"name": "hook", "municipality": "tripoli", "format": "chirpstack", "way": "webhook"}
    await client.post("/api/v1/sources", json=hook)
    for name in ("lora", "hook"):
        source = await get_source(connection, name)
        await states.say(connection, source.id, Counted(), builders.now, connected=True)

    async def alive() -> dict[str, bool]:
        return {one["name"]: one["alive"] for one in (await client.get("/api/v1/sources")).json()["items"]}

    assert await alive() == {"hook": True, "lora": True}
    await client.post("/api/v1/sources", json={**LORA, "name": "unheard"})
    assert not (await alive())["unheard"]
    await client.delete("/api/v1/sources/unheard")
    await connection.execute("UPDATE source_state SET alive_at = alive_at - interval '15 seconds'")
    assert await alive() == {"hook": True, "lora": False}


async def test_what_a_source_may_speak_is_told_with_its_ways(client: httpx2.AsyncClient) -> None:
    formats = (await client.get("/api/v1/sources")).json()["formats"]

    ways = {one["format"]: one["ways"] for one in formats}
    assert ways.keys() == set(ALL)
    assert (ways["chirpstack"], ways["sparkplug"]) == (["mqtt", "webhook"], ["mqtt"])


async def test_a_profile_that_is_none_is_refused_with_what_was_meant(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)

    typo = await client.post("/api/v1/sources", json={**LORA, "profile": "milesight-em310-udk"})
    assert (typo.status_code, "did you mean 'milesight-em310-udl'" in typo.text) == (422, True)
    await client.post("/api/v1/sources", json=LORA)
    by_model = await client.patch("/api/v1/sources/lora", json={"profiles": {"EM310": "em310"}})
    assert (by_model.status_code, "em310" in by_model.text) == (422, True)


async def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    added = await client.post("/api/v1/sources", json=LORA)
    read = (await client.get("/api/v1/sources/lora")).headers["ETag"]
    assert read == added.headers["ETag"] == f'"{added.json()["version"]}"'

    first = await client.patch("/api/v1/sources/lora", json={"enabled": False}, headers={"If-Match": read})
    late = await client.patch("/api/v1/sources/lora", json={"username": "us"}, headers={"If-Match": read})

    assert (first.status_code, late.status_code) == (200, 412)
    assert late.json()["type"].endswith("changed-meanwhile")
    again = {"If-Match": first.headers["ETag"]}
    assert (await client.patch("/api/v1/sources/lora", json={}, headers=again)).status_code == 200


async def test_a_certificate_is_the_same_whatever_stands_around_it(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    pem = new_authority("Lora", datetime.now(UTC)).certificate.decode()
    file = pem.strip() + "\n\n"
    await client.post("/api/v1/sources", json={**LORA, "authority": file})
    # As it was stored before, with the end of its file.
    await connection.execute("UPDATE source SET authority = $1", file)

    kept = await client.patch("/api/v1/sources/lora", json={"authority": pem.strip().replace("\n", "\r\n")})

    assert (kept.status_code, kept.json()["has_secret"]) == (200, True), kept.text
    assert kept.json()["authority"] == pem.strip()


async def test_topics_of_a_format_follow_it_and_others_stay(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await client.post("/api/v1/sources", json=LORA)

    async def topics(**changes: object) -> list[str]:
        found = (await client.patch("/api/v1/sources/lora", json=changes)).json()["topics"]
        return list(found)

    assert await topics(format="sparkplug") == ["spBv1.0/#"]
    assert await topics(topics=["ours/#"]) == await topics(format="chirpstack") == ["ours/#"]
    assert await topics(topics=[]) == ["application/+/device/+/event/+"]


async def test_a_source_from_before_profiles_were_asked_for_is_disabled_and_edited(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await client.post("/api/v1/sources", json={**LORA, "topics": ["a/#"], "profile": "milesight-em310-udl"})
    await connection.execute("UPDATE source SET format = 'json', profile = ''")

    assert (await client.patch("/api/v1/sources/lora", json={"enabled": False})).status_code == 200
    assert (await client.patch("/api/v1/sources/lora", json={"format": "senml_json"})).status_code == 200
    assert (await client.patch("/api/v1/sources/lora", json={"format": "json"})).status_code == 422


async def test_what_becomes_a_webhook_of_others_gets_a_secret_and_another_when_asked(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    native = {"name": "hook", "municipality": "tripoli", "format": "nabd", "way": "webhook"}
    await client.post("/api/v1/sources", json=native)
    source = await get_source(connection, "hook")

    async def changed(**changes: object) -> str | None:
        answer = await client.patch("/api/v1/sources/hook", json=changes)
        secret: str | None = answer.json()["secret"]
        return secret

    made = await changed(format="chirpstack")
    assert made == await secret_of(connection, source) != ""
    assert await changed(enabled=False) is None
    another = await changed(new_secret=True)
    assert another == await secret_of(connection, source)
    assert another != made
    await changed(secret="")
    assert await changed(enabled=True) is None
    both = await client.patch("/api/v1/sources/hook", json={"new_secret": True, "secret": "x" * 20})
    broker = await client.post("/api/v1/sources", json=LORA)
    assert broker.status_code == 201
    of_broker = await client.patch("/api/v1/sources/lora", json={"new_secret": True})
    assert (both.status_code, of_broker.status_code) == (422, 422)
