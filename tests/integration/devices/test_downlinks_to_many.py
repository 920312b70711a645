"""A command to many devices of a network server is encoded once, and lets others have their turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from devices import profiles
from devices.codecs.pool import Codecs
from devices.commands.new_command import NewCommand
from devices.registry.registration import add_devices
from devices.registry.registry import list_devices
from devices.sources import downlinks
from devices.sources.downlinks import AT_ONCE, as_downlinks
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from store.audit import PLATFORM
from tests.integration.devices.town import BIN, KINDS, SECOND, START, add_town, now

PROFILE = """\
profile = "thrown"
title = "Thrown"
kind = "bin"
codec = "thrown.js"

[[readings]]
[readings.values]
fill_pct = "fill"

[downlinks.reboot]
port = 1
data = {reboot = true}

[downlinks.set_interval]
port = 1
data = {seconds = "{interval_s}"}
"""
CODEC = """\
function decodeUplink(input) { return { data: {} }; }
function encodeDownlink(input) {
  if (input.data.reboot) throw new Error("no reboot");
  return { bytes: [input.data.seconds] };
}
"""
MANY = 3 * AT_ONCE


@pytest.fixture
async def bins(connection: asyncpg.Connection) -> list[Any]:
    """Many bins behind one source."""
    await add_town(connection)
    url = "mqtts://a.example"
    new = NewSource(name="lora", municipality="tripoli", format="chirpstack", url=url, profile="thrown")
    await add_source(connection, KINDS, new, ALL, now, by=PLATFORM)
    one = replace(BIN, relays=("lora",))
    names = [f"{number:016X}" for number in range(MANY)]
    await add_devices(connection, KINDS, [replace(one, name=name) for name in names], now, by=PLATFORM)
    return await list_devices(connection, kind="bin", limit=MANY)


@pytest.fixture
def known(tmp_path: Path) -> profiles.Profiles:
    (tmp_path / "thrown.toml").write_text(PROFILE)
    (tmp_path / "thrown.js").write_text(CODEC)
    return profiles.load(KINDS, tmp_path)


def told(devices: list[Any], name: str, **args: Any) -> list[NewCommand]:
    until = START + 60 * SECOND
    return [NewCommand(id=uuid4(), device=one, name=name, args=args, expires_at=until) for one in devices]


async def test_a_codec_is_asked_once_for_all_also_where_it_fails(
    connection: asyncpg.Connection,
    bins: list[Any],
    known: profiles.Profiles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: Counter[str] = Counter()
    encode = Codecs.encode

    async def counting(codecs: Codecs, codec: Any, values: Any, *more: Any) -> Any:
        asked.update([*values])
        return await encode(codecs, codec, values, *more)

    monkeypatch.setattr(Codecs, "encode", counting)
    made, refused = await as_downlinks(connection, told(bins, "reboot"), known, now)
    assert made == []
    assert len(refused) == MANY
    assert all("no reboot" in str(reason) for reason in refused.values())
    made, refused = await as_downlinks(connection, told(bins, "set_interval", interval_s=60), known, now)
    assert refused == {}
    assert {one.downlink and one.downlink.payload for one in made} == {bytes([60])}
    assert asked == {"reboot": 1, "seconds": 1}


async def test_others_have_their_turn_while_many_are_encoded(
    connection: asyncpg.Connection,
    bins: list[Any],
    known: profiles.Profiles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns, seen = 0, Counter[int]()
    encode = downlinks._Encoder.encode

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def watched(self: Any, *command: Any) -> Any:
        seen[turns] += 1
        return await encode(self, *command)

    monkeypatch.setattr(downlinks._Encoder, "encode", watched)
    running = asyncio.create_task(others())
    await as_downlinks(connection, told(bins, "set_interval", interval_s=60), known, now)
    running.cancel()

    assert sum(seen.values()) == MANY
    assert max(seen.values()) <= AT_ONCE
