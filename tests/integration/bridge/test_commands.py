"""`nabd source`: added, tried, shown and removed; its secret is told to nobody."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from typer.testing import CliRunner

from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.sources.listing import get_source, secret_of
from nabd.cli import app
from store.audit import PLATFORM
from store.pool import connect
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI
from tests.waiting import now

UPLINK = {
    "time": "2026-03-01T09:30:00+00:00",
    "deviceInfo": {"devEui": EUI.lower()},
    "fCnt": 7,
    "fPort": 85,
    "data": base64.b64encode(bytes.fromhex("01755c03824408040001")).decode(),
}
TOPIC = f"application/1/device/{EUI.lower()}/event/up"


def nabd(*arguments: str, code: int = 0) -> list[Any]:
    """Return what a command says as JSON."""
    result = CliRunner().invoke(app, ["source", *arguments, "--json"])
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()] if code == 0 else [result.stderr]


@pytest.fixture
def installed(dsn: str, foreign: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with Tripoli, and the broker of another."""

    async def town() -> None:
        connection = await connect(dsn)
        await add_municipality(connection, NewMunicipality(name="tripoli"), now, by=PLATFORM)
        await connection.close()

    asyncio.run(town())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NABD_DATABASE", dsn)
    monkeypatch.setenv("NABD_SOURCE_TARGETS", '["127.0.0.0/8"]')
    monkeypatch.setenv("NABD_BROKER", f"mqtt://{foreign.host}:{foreign.port}")
    return f"mqtt://{foreign.host}:{foreign.port}"


def test_a_source_is_added_tried_and_removed(installed: str, dsn: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "uplink.json").write_text(json.dumps(UPLINK))
    [added] = nabd(
        "add", "lora", "--municipality", "tripoli", "--format", "chirpstack", "--url", installed,
        "--username", "us", "--secret", "password", "--model", "EM310=milesight-em310-udl",
    )  # fmt: skip
    assert added["gateway"] == "lora"
    assert added["topics"] == ["application/+/device/+/event/+"]
    assert added["has_secret"]
    assert "s3cret" not in json.dumps(added)

    [tried] = nabd("test", "lora", "--sample", "uplink.json", "--topic", TOPIC)
    assert "no profile" in tried["elements"][0]["refused"]
    nabd("edit", "lora", "--profile", "milesight-em310-udl")
    [tried] = nabd("test", "lora", "--sample", "uplink.json", "--topic", TOPIC)
    (element,) = tried["elements"]
    assert (element["device"], element["distance_mm"], element["kind"]) == (EUI, 2116, "bin")

    [shown] = nabd("show", "lora")
    assert (shown["profile"], shown["state"]) == ("milesight-em310-udl", None)
    assert nabd("list") == [shown]
    assert asyncio.run(_secret(dsn)) == "s3cret"
    nabd("edit", "lora", "--format", "chirpstak", code=1)
    nabd("remove", "lora")
    assert nabd("list") == []
    nabd("show", "lora", code=1)


async def _secret(dsn: str) -> str:
    connection = await connect(dsn)
    try:
        return await secret_of(connection, await get_source(connection, "lora"))
    finally:
        await connection.close()


def test_what_a_source_says_now_is_shown_and_nothing_taken_from_it(
    installed: str, foreign: Mosquitto
) -> None:
    nabd("add", "second", "--municipality", "tripoli", "--format", "nabd", "--url", installed)

    async def retain() -> None:
        async with aiomqtt.Client(foreign.host, foreign.port) as client:
            topic = "nabd/v1/tripoli/bin/f1/telemetry"
            await client.publish(topic, b'{"fill_pct": 3}', qos=1, retain=True)

    asyncio.run(retain())

    [tried] = nabd("test", "second", "--for", "1")

    assert tried["topic"] == "nabd/v1/tripoli/bin/f1/telemetry"
    assert {"kind": "bin", "device": "f1", "fill_pct": 3}.items() <= tried["elements"][0].items()


def test_what_a_sample_would_lose_is_shown(installed: str, tmp_path: Path) -> None:
    decoded = {k: v for k, v in UPLINK.items() if k != "data"} | {"object": {"Distance": 9, "battery": "low"}}
    (tmp_path / "uplink.json").write_text(json.dumps(decoded))
    new = ["add", "lora", "--municipality", "tripoli", "--format", "chirpstack", "--url", installed]
    nabd(*new, "--profile", "dragino-ldds75")

    [tried] = nabd("test", "lora", "--sample", "uplink.json", "--topic", TOPIC)

    assert tried["elements"][0]["distance_mm"] == 9
    [lost] = tried["problems"]
    assert lost.startswith(f"{EUI}: battery = 'low'")


def test_documents_without_a_profile_are_refused_with_what_to_say(installed: str) -> None:
    new = ["--municipality", "tripoli", "--format", "json", "--url", installed, "--topic", "a/#"]

    [said] = nabd("add", "plain", *new, code=1)

    assert "--profile NAME" in said
    nabd("add", "plain", *new, "--profile", "ucifi-bin")
    nabd("edit", "plain", "--profile", "", code=1)


def test_a_broker_that_is_away_is_said_in_one_line(installed: str) -> None:
    nabd("add", "away", "--municipality", "tripoli", "--format", "nabd", "--url", "mqtt://127.0.0.1:1")

    [said] = nabd("test", "away", code=1)

    assert "source away: " in said
    assert "efused" in said
