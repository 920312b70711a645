"""GET /profiles, one profile, POST /profiles/test: what there is, and what becomes of a message."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.integration.api import builders

OWN = """
profile = "own"
title = "Own"
kind = "bin"
[[readings]]
[readings.values]
fill_pct = {from = "fill", none = [255]}
"""


@pytest.fixture
async def app(own_pool: asyncpg.Pool, pool: asyncpg.Pool, tmp_path: Path) -> FastAPI:
    await builders.let_in(pool)
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    return create_app(
        pool=own_pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=False,
        profiles_dir=tmp_path,
    )


async def test_profiles_are_listed_with_what_waits_and_what_is_wrong(
    client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "wrong.toml").write_text(OWN.replace("fill_pct", "fil_pct"), encoding="utf-8")

    listed = (await client.get("/api/v1/profiles")).json()

    found = {one["profile"]: one for one in listed["items"]}
    assert (found["own"]["own"], found["dragino-ldds75"]["own"]) == (True, False)
    assert {"profile": "milesight-em500-smtc", "kind": "soil_probe"} in listed["waiting"]
    (mistake,) = listed["refused"]
    assert (mistake["file"], mistake["line"], mistake["column"], mistake["suggestion"]) == (
        "wrong.toml", 7, 1, "fill_pct",
    )  # fmt: skip


async def test_a_profile_says_where_its_measurements_stand_and_what_is_documented(
    client: httpx2.AsyncClient,
) -> None:
    one = (await client.get("/api/v1/profiles/dragino-ldds75")).json()

    battery = next(m for m in one["measurements"] if m["measurement"] == "battery_v")
    assert (battery["paths"], battery["unit"], battery["becomes"]) == (["battery"], "mV", "V")
    assert one["examples"][0]["gives"] == [{"battery_v": 2.885, "distance_mm": 2821, "temperature_c": 26.1}]
    assert one["source"].startswith('profile = "dragino-ldds75"')
    assert (await client.get("/api/v1/profiles/none")).status_code == 404


async def test_every_documented_message_can_be_tried(client: httpx2.AsyncClient) -> None:
    one = (await client.get("/api/v1/profiles/nas-ul20xx")).json()

    for example in one["examples"]:
        question = {"profile": "nas-ul20xx", "hex": example["hex"], "port": example["port"]}
        answer = await client.post("/api/v1/profiles/test", json=question)

        (trial,) = answer.json()["trials"]
        readings = trial["readings"]
        kept = [
            {k: v for k, v in one.items() if k in given}
            for one, given in zip(readings, example["gives"], strict=True)
        ]
        assert kept == example["gives"]
        assert (trial["refused"] is None) == bool(example["gives"])


async def test_a_message_in_json_is_tried_by_a_profile_in_the_question(client: httpx2.AsyncClient) -> None:
    question = {"source": OWN, "sample": {"fill": 62.5, "note": "x"}, "device": "BIN-1"}

    answer = await client.post("/api/v1/profiles/test", json=question)

    (trial,) = answer.json()["trials"]
    assert (trial["readings"][0]["device"], trial["readings"][0]["fill_pct"]) == ("BIN-1", 62.5)
    assert [one["where"] for one in trial["unread"]] == ["note"]


async def test_an_event_of_a_network_server_is_tried(client: httpx2.AsyncClient) -> None:
    event = {"deviceInfo": {"devEui": "a84041000181c061"}, "fPort": 2, "data": "C0ULBQABBQE=", "fCnt": 3}
    question = {
        "profile": "dragino-ldds75",
        "sample": event,
        "format": "chirpstack",
        "topic": "application/1/device/a84041000181c061/event/up",
    }

    (trial,) = (await client.post("/api/v1/profiles/test", json=question)).json()["trials"]

    assert trial["readings"][0]["distance_mm"] == 2821


async def test_a_message_without_a_measurement_says_what_was_found(client: httpx2.AsyncClient) -> None:
    question = {"profile": "own", "sample": {"fill": 255}}

    (trial,) = (await client.post("/api/v1/profiles/test", json=question)).json()["trials"]

    assert trial["readings"] == []
    assert "not measured: fill = 255" in trial["refused"]


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        ({"profile": "none", "hex": "01"}, 404, "no profile is called 'none'"),
        ({"profile": "own", "hex": "0"}, 422, "hex: non-hexadecimal"),
        ({"profile": "own", "hex": "01", "sample": {}}, 422, "give either hex or sample"),
        ({"hex": "01"}, 422, "give either profile or source"),
        ({"profile": "own", "sample": {}, "format": "morse"}, 422, "format: known are chirpstack"),
        ({"profile": "own", "sample": {}, "format": "chirpstack"}, 422, "sample: "),
        ({"source": OWN.replace("title", "titel"), "hex": "01"}, 422, "did you mean 'title'?"),
        ({"source": 'codec = "x.js"' + OWN, "hex": "01"}, 422, "a codec runs from a file beside its profile"),
    ],
)
async def test_what_cannot_be_tried_is_named(
    client: httpx2.AsyncClient, question: dict[str, object], status: int, said: str
) -> None:
    answer = await client.post("/api/v1/profiles/test", json=question)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text


@pytest.mark.parametrize("number", ["1" + "0" * 30, "1" + "0" * 400, "-1e308", "1e308"])
async def test_a_number_beyond_all_bounds_is_told_or_kept(client: httpx2.AsyncClient, number: str) -> None:
    body = f'{{"profile": "own", "sample": {{"fill": {number}}}}}'

    answer = await client.post(
        "/api/v1/profiles/test", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in (200, 400, 422), answer.text


async def test_only_so_many_messages_are_tried_at_once(client: httpx2.AsyncClient, app: FastAPI) -> None:
    question = {"profile": "own", "sample": {"fill": 50}}
    context = app.state.context
    async with context.trials, context.trials:
        refused = await client.post("/api/v1/profiles/test", json=question)
    taken = await client.post("/api/v1/profiles/test", json=question)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert taken.status_code == 200
