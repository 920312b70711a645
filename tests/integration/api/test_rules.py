"""Rules over HTTP: versions, mistakes with their place, tests on history, trials, explanations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from api.schemas.rules import EXAMPLE
from tests.integration.api import builders
from tests.integration.api.conftest import bearing

NOON = builders.NOON
RULE: dict[str, Any] = dict(EXAMPLE)
URL = "/api/v1/rules/bin-overflow"


@pytest.fixture
async def device(connection: asyncpg.Connection) -> str:
    """A bin that filled up this morning."""
    device = await builders.add(connection, "bin-1")
    fills = [(60, 50.0), (50, 90.0), (40, 91.0), (30, 60.0), (20, 60.0), (10, 86.0)]
    rows = [{"observed_at": NOON - timedelta(minutes=m), "fill_pct": fill} for m, fill in fills]
    await builders.store(connection, device, rows)
    return device.name


async def put(client: httpx2.AsyncClient, **changes: Any) -> httpx2.Response:
    return await client.put(URL, json={**RULE, **changes})


async def test_rule_put_is_in_force_and_tells_its_version(client: httpx2.AsyncClient) -> None:
    first = await put(client)
    again = await put(client)
    changed = await put(client, clear="fill_pct < 60")
    found = await client.get(URL)

    assert (first.status_code, first.headers["etag"]) == (200, '"1"')
    assert again.headers["etag"] == '"1"'
    assert changed.headers["etag"] == found.headers["etag"] == '"2"'
    assert found.json()["definition"]["clear"] == "fill_pct < 60"
    assert [(c["version"], c["action"]) for c in found.json()["history"]] == [(1, "applied"), (2, "applied")]
    assert (await client.get(f"{URL}?version=1")).json()["definition"] == RULE


async def test_rule_that_asks_for_the_sun_warns_of_devices_that_nobody_can_place(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, device: str
) -> None:
    await connection.execute("UPDATE municipality SET lat = 32.9, lon = 13.2")
    placed = await put(client, when={"sun": "day"})
    await connection.execute("UPDATE municipality SET lon = NULL")

    unplaced = await put(client, when={"sun": "night"})

    assert (placed.status_code, placed.json()["warnings"]) == (200, [])
    assert unplaced.status_code == 200
    (warning,) = unplaced.json()["warnings"]
    assert warning.startswith(f"`when: {{sun: night}}` cannot be decided for 1 of kind bin, {device} for one")


async def test_rule_in_yaml_is_as_good_as_in_json(client: httpx2.AsyncClient) -> None:
    example = (await client.get("/api/v1/openapi.json")).json()["paths"]["/api/v1/rules/{rule}"]["put"]
    text = example["requestBody"]["content"]["application/yaml"]["example"]

    answer = await client.put(URL, content=text, headers={"Content-Type": "application/yaml"})

    assert answer.json()["definition"] == RULE


async def test_mistakes_are_all_told_with_line_column_and_suggestion(client: httpx2.AsyncClient) -> None:
    text = """id: bin-overflow
kind: bin
summary: {en: x, fr: x, ar: x}
levels:
  warning: fil_pct >= 85
cleer: fill_pct < 70
"""

    answer = await client.put(URL, content=text)

    assert answer.status_code == 422
    told = [(e["line"], e["column"], e["suggestion"]) for e in answer.json()["errors"]]
    assert sorted(told) == [(5, 12, "fill_pct"), (6, 1, "clear")]


async def test_put_is_refused_when_somebody_was_faster(client: httpx2.AsyncClient) -> None:
    tag = (await put(client)).headers["etag"]
    mine = {**RULE, "clear": "fill_pct < 60"}
    yours = {**RULE, "clear": "fill_pct < 50"}

    first = await client.put(URL, json=mine, headers={"If-Match": tag})
    second = await client.put(URL, json=yours, headers={"If-Match": tag})
    new = await client.put(URL, json=yours, headers={"If-None-Match": "*"})

    assert (first.status_code, second.status_code, new.status_code) == (200, 412, 412)
    assert second.json()["type"] == "urn:nabd:problem:changed-meanwhile"


@pytest.mark.parametrize(
    "body", ["a: &a [*a]", "[" * 5000, "\x00", "- id: x\n- id: y", "{}", "", "[1, 2]", "'\\ud800'"]
)
async def test_senseless_body_is_refused_and_changes_nothing(client: httpx2.AsyncClient, body: str) -> None:
    answer = await client.put(URL, content=body.encode())

    assert answer.status_code == 422
    assert (await client.get(URL)).status_code == 404


async def test_body_must_be_the_rule_that_the_address_names(client: httpx2.AsyncClient) -> None:
    answer = await client.put("/api/v1/rules/another", json=RULE)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/id"


async def test_rules_are_listed_by_page_and_kind(client: httpx2.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await client.put(f"/api/v1/rules/{name}", json={**RULE, "id": name})
    await client.post("/api/v1/rules/b/disable")

    first = await client.get("/api/v1/rules?limit=1&fields=id,state")
    rest = await client.get(first.json()["next"])
    every = await client.get("/api/v1/rules?disabled=true&kind=bin")

    assert first.json()["items"] == [{"id": "a", "state": "in force"}]
    assert [item["id"] for item in rest.json()["items"]] == ["c"]
    assert [item["state"] for item in every.json()["items"]] == ["in force", "disabled", "in force"]
    assert (await client.post("/api/v1/rules/b/enable")).json()["version"] == 2


async def test_test_of_a_rule_tells_its_alerts_and_writes_nothing(
    client: httpx2.AsyncClient, device: str
) -> None:
    answer = await client.post("/api/v1/rules/test", json={**RULE, "for": "1 readings"})
    (found,) = answer.json()["findings"]

    assert answer.json()["complete"] is True
    assert answer.json()["readings"] == 6
    assert [a["device"] for a in found["alerts"]] == [device, device]
    assert (found["only_test"], found["live_alerts"]) == (2, 0)
    assert (await client.get(URL)).status_code == 404


async def test_test_of_a_sweep_rule_tells_its_alerts_and_what_it_cannot_know(
    client: httpx2.AsyncClient, device: str
) -> None:
    sentences = dict.fromkeys(("en", "fr", "ar"), "{device}")
    sweep = {"id": "quiet", "kind": "bin", "summary": sentences, "silent": {"missing": "0.5 intervals"}}

    answer = await client.post("/api/v1/rules/test", json=sweep)
    (found,) = answer.json()["findings"]

    assert (answer.json()["complete"], answer.json()["skipped"]) == (True, [])
    assert answer.json()["readings"] == 6
    # Each was received a second after it was observed, and the next five minutes too late.
    received = [NOON - timedelta(minutes=minute, seconds=-1) for minute in range(60, 0, -10)]
    opened = [(at + timedelta(minutes=5)).isoformat().replace("+00:00", "Z") for at in received]
    assert [a["opened_at"] for a in found["alerts"]] == opened
    assert [a["ended_at"] is None for a in found["alerts"]] == [False] * 5 + [True]
    assert any("ingest itself was away" in note for note in found["notes"])


async def test_test_of_a_rule_is_bounded(client: httpx2.AsyncClient, device: str) -> None:
    far = (NOON - timedelta(days=40)).isoformat()

    wide = await client.post("/api/v1/rules/test", params={"since": far}, json=RULE)
    nobody = await client.post("/api/v1/rules/test", params={"device": "bin-9"}, json=RULE)

    assert (wide.status_code, wide.json()["type"]) == (422, "urn:nabd:problem:range-too-wide")
    assert nobody.status_code == 404


async def test_explanation_tells_terms_and_sentences(client: httpx2.AsyncClient, device: str) -> None:
    await put(client)

    answer = await client.get(f"{URL}/explain?device={device}")
    found = answer.json()

    assert answer.status_code == 200
    assert (found["state"], found["missing"]["readings"]) == ("pending", 1)
    assert found["terms"][0] == {
        "part": "levels.warning",
        "text": "fill_pct >= 85",
        "said": {"en": "Fill at least 85", "fr": "Remplissage au moins 85", "ar": "الامتلاء لا يقل عن 85"},
        "value": 86,
        "limit": 85,
        "holds": "true",
        "since": (NOON - timedelta(minutes=10)).isoformat().replace("+00:00", "Z"),
        "reasons": [],
    }
    assert set(found["sentences"]) == {"en", "fr", "ar"}
    assert (await client.get(f"{URL}/explain?device=bin-9")).status_code == 404
    assert (await client.get(f"/api/v1/rules/nothing/explain?device={device}")).status_code == 404


async def test_shadow_is_put_on_trial_compared_and_promoted(client: httpx2.AsyncClient) -> None:
    await put(client)
    trial = {**RULE, "clear": "fill_pct < 60"}

    begun = await client.put(f"{URL}/shadow", json=trial)
    found = await client.get(f"{URL}/shadow")
    promoted = await client.post(f"{URL}/shadow/promote")

    assert (begun.status_code, found.status_code) == (200, 200)
    assert found.json()["findings"]["alerts"] == []
    assert promoted.json()["definition"] == trial
    assert promoted.headers["etag"] == '"2"'
    assert (await client.get(f"{URL}/shadow")).status_code == 404


async def test_shadow_is_dropped(client: httpx2.AsyncClient) -> None:
    await client.put(f"{URL}/shadow", json=RULE)

    assert (await client.delete(f"{URL}/shadow")).status_code == 204
    assert (await client.delete(f"{URL}/shadow")).status_code == 404


async def test_history_names_the_token_that_changed_the_rule(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    token = await builders.token(connection, "waste office")

    async with bearing(pool, token) as client:
        await put(client)
        history = (await client.get(URL)).json()["history"]

    assert history[0]["author"] == "waste office"
