"""Other people's clients of the standards, against a served application."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from devices.registry.registry import get_device
from tests import parts
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.api.standards.following import HERE, Follow
from tests.unit.notify.channels.services import HttpService, http, serving
from tests.waiting import eventually

CLIENTS = Path(__file__).resolve().parents[3] / "standards"
PYTHON = CLIENTS / ".venv/bin/python"


@pytest.fixture
async def town(connection: asyncpg.Connection) -> None:
    """Two bins, one with five readings, and a lamp."""
    device = await builders.add(connection, "bin-1", lat=34.43, lon=35.84, title="Souk")
    rows = [{"observed_at": NOON + timedelta(minutes=10 * i), "fill_pct": 10.0 * i} for i in range(5)]
    await builders.store(connection, device, rows)
    await builders.report(connection, device, at=NOON + timedelta(minutes=40), fill_pct=40.0)
    full = await builders.add(connection, "bin-2", lat=34.5, lon=35.9)
    await builders.report(connection, full, fill_pct=95.0)
    await builders.add(connection, "lamp-1", kind="light")


async def said(program: str, *arguments: str) -> Any:
    """Return what a program in the clients' environment prints, JSON."""
    if not PYTHON.exists():
        parts.missing(parts.STANDARD_CLIENTS)
    process = await asyncio.create_subprocess_exec(
        PYTHON, CLIENTS / program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, error.decode()[-3000:]
    return json.loads(out.decode().strip().splitlines()[-1])


@pytest.mark.usefixtures("town")
async def test_ngsild_client_reads_entities_and_their_past(server: str) -> None:
    address = urlsplit(server)

    found = await said("read_ngsi_ld", "127.0.0.1", str(address.port), builders.TOKEN)

    assert found["id"] == "urn:ngsi-ld:WasteContainer:bin-1"
    assert (found["type"], found["fillingLevel"]) == ("WasteContainer", 0.4)
    assert found["location"] == {"type": "Point", "coordinates": [35.84, 34.43]}
    assert found["full"] == ["urn:ngsi-ld:WasteContainer:bin-2"]
    assert (len(found["all"]), found["count"]) == (2, 2)
    assert "UnmannedAerialVehicle" in found["types"]
    assert [value for value, _ in found["past"]] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert found["pasts"] == 1, "who told nothing before is not among them"


async def test_ngsild_client_subscribes_and_a_receiver_hears_of_the_next_reading(
    app: FastAPI, connection: asyncpg.Connection, server: str, follow: Follow, town: None
) -> None:
    app.state.context = replace(app.state.context, webhook_targets=HERE)
    address = urlsplit(server)
    device = await get_device(connection, "bin-1")
    async with serving(HttpService(http(200))) as receiver, follow():
        uri = f"{receiver.url}/hear"
        found = await said("subscribe_ngsi_ld", "127.0.0.1", str(address.port), builders.TOKEN, uri)
        await builders.report(connection, device, at=NOON + timedelta(hours=1), fill_pct=50.0)
        await builders.report(connection, device, at=NOON + timedelta(hours=2), fill_pct=90.0)
        bodies = await eventually(lambda: hears(receiver, found["made"]))

    assert found["listed"] == sorted([found["made"], "urn:ngsi-ld:Subscription:ended"])
    assert (found["exists"], found["status"], found["ended"]) == (True, "active", True)
    assert found["left"] == [found["made"]]
    assert [one["fillingLevel"]["value"] for one in bodies[0]["data"]] == [0.9]
    async with httpx2.AsyncClient() as reader:
        context = (await reader.get(bodies[0]["@context"])).json()["@context"]
    assert context["WasteContainer"].startswith("https://smartdatamodels.org/")


async def hears(receiver: HttpService, subscription: str) -> list[Any]:
    """Return the notifications of a subscription."""
    bodies = [json.loads(one.body) for one in receiver.asked]
    return [body for body in bodies if body["subscriptionId"] == subscription]


@pytest.mark.usefixtures("town")
async def test_frost_client_reads_things_streams_and_observations(server: str) -> None:
    found = await said("read_sensorthings", server, builders.TOKEN)

    assert found["things"] == ["lamp-1", "bin-2", "bin-1"], "by name, which is the title where there is one"
    assert (found["name"], found["kind"], found["unit"]) == ("Souk", "bin", "%")
    assert found["streams"] == len(builders.KINDS["bin"].measurements)
    assert found["sensor"] == "Smart bin"
    assert found["observed_property"].endswith("/fillingLevel")
    assert found["location"]["coordinates"] == [35.84, 34.43]
    assert found["inside"] == ["bin-1"]
    assert found["paged"] == [0.0, 10.0, 20.0, 30.0, 40.0], "the client follows nextLink to the end"
    assert found["newest"] == [30.0, 20.0]
    assert found["expanded"] == "bin-1"
