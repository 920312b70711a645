"""Rollouts by what their devices answer: held, cancelled, and who is left out. No broker, no HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devices.commands.answered import record_response
from devices.commands.queue import MOST_WAITING, mark_delivered, take_due
from devices.credentials.issuing import rotate_passwords
from devices.firmware.advance import advance
from devices.firmware.downloads import is_offered
from devices.firmware.image import facts_of, public_of, sign
from devices.firmware.images import add_image
from devices.firmware.rollout import RolloutState
from devices.firmware.rollouts import NewRollout, Rollout, get_rollout, list_devices, start
from devices.firmware.steering import steer
from devices.registry.errors import Invalid
from devices.registry.registry import Device
from store.audit import PLATFORM
from store.connection import Connection
from tests.integration.devices.town import KINDS, add_bin, add_town, now

KEY = Ed25519PrivateKey.generate()
IMAGE = facts_of(b"image", "bin", "2.0.0")
ALL_AT_ONCE = NewRollout(kind="bin", version="2.0.0", stages=(100,), watch_s=0)


@pytest.fixture
async def bins(connection: asyncpg.Connection) -> list[Device]:
    """Two bins with passwords, and an image for them."""
    await add_town(connection)
    made = [await add_bin(connection, name) for name in ("B-1", "B-2")]
    await give_passwords(connection, "B-1", "B-2")
    signed = {"signature": sign(IMAGE, KEY), "public_key": public_of(KEY)}
    await add_image(connection, KINDS, IMAGE, **signed, note="", now=now, by=PLATFORM)
    return made


async def give_passwords(connection: asyncpg.Connection, *names: str) -> None:
    await rotate_passwords(connection, KINDS, names, now=now, by=PLATFORM, random=secrets.token_bytes)


async def look(connection: asyncpg.Connection) -> int:
    async def alarming(_: Connection, __: Mapping[int, datetime]) -> set[int]:
        return set()

    return await advance(connection, now, alarming=alarming, new_id=uuid4, base="")


async def offered(connection: asyncpg.Connection) -> Rollout:
    """Start a rollout whose commands lie at the broker."""
    started = await start(connection, ALL_AT_ONCE, now, by=PLATFORM)
    await look(connection)
    await mark_delivered(connection, [one.id for one in await take_due(connection, now, 10)], now)
    return started


async def say(connection: asyncpg.Connection, device: str, status: str, detail: str | None = None) -> None:
    command = await connection.fetchval(
        """
        SELECT c.id FROM command AS c INNER JOIN device AS d ON c.device_id = d.id
        WHERE d.name = $1 ORDER BY c.created_at DESC LIMIT 1
        """,
        device,
    )
    await record_response(connection, device, command, status, now, detail=detail)


async def states(connection: asyncpg.Connection, number: int) -> dict[str, str]:
    return {one.device: one.state for one in await list_devices(connection, number)}


async def test_held_rollout_gives_no_image_to_who_had_not_begun(
    connection: asyncpg.Connection, bins: list[Device]
) -> None:
    first, late = bins
    number = (await offered(connection)).id
    await say(connection, first.name, "running", "25 %")

    await steer(connection, number, RolloutState.PAUSED, now, by=PLATFORM)

    assert await is_offered(connection, IMAGE.sha256, first.id), "it ends what it does"
    assert not await is_offered(connection, IMAGE.sha256, late.id)
    await say(connection, late.name, "failed", "download refused: 404")
    await look(connection)
    assert await states(connection, number) == {"B-1": "downloading", "B-2": "waiting"}

    await steer(connection, number, RolloutState.RUNNING, now, by=PLATFORM)
    await look(connection)
    assert await states(connection, number) == {"B-1": "downloading", "B-2": "offered"}
    assert await is_offered(connection, IMAGE.sha256, late.id)


async def test_cancelled_rollout_gives_no_image_and_is_heard_until_its_devices_end(
    connection: asyncpg.Connection, bins: list[Device]
) -> None:
    first, _ = bins
    number = (await offered(connection)).id
    await say(connection, first.name, "running", "100 %")
    await steer(connection, number, RolloutState.CANCELLED, now, by=PLATFORM)
    assert not [one for one in bins if await is_offered(connection, IMAGE.sha256, one.id)]

    second = (await start(connection, ALL_AT_ONCE, now, by=PLATFORM)).id
    await look(connection)
    assert await states(connection, second) == {"B-1": "waiting", "B-2": "offered"}, "B-1 still installs"

    await say(connection, first.name, "succeeded")
    assert await look(connection) == 2
    assert (await states(connection, number))["B-1"] == "updated"
    assert (await states(connection, second))["B-1"] == "offered"


async def test_who_has_no_password_is_left_out_and_counted(
    connection: asyncpg.Connection, bins: list[Device]
) -> None:
    await add_bin(connection, "B-3")
    started = await start(connection, ALL_AT_ONCE, now, by=PLATFORM)
    assert (started.devices, started.left_out) == (2, 1)

    await steer(connection, started.id, RolloutState.CANCELLED, now, by=PLATFORM)
    await connection.execute("DELETE FROM device_credential")
    with pytest.raises(Invalid, match="none of the 3 devices meant has a password"):
        await start(connection, ALL_AT_ONCE, now, by=PLATFORM)


async def test_device_that_takes_no_command_fails_alone(
    connection: asyncpg.Connection, bins: list[Device]
) -> None:
    await connection.execute(
        """
        INSERT INTO command (id, device_id, name, args, status, expires_at, created_at, updated_at)
        SELECT gen_random_uuid(), $1, 'reboot', '{}', 'queued', 'infinity', to_timestamp(0), to_timestamp(0)
        FROM generate_series(1, $2)
        """,
        bins[0].id,
        MOST_WAITING,
    )
    number = (await start(connection, ALL_AT_ONCE, now, by=PLATFORM)).id
    await look(connection)
    assert await states(connection, number) == {"B-1": "failed", "B-2": "offered"}
    await look(connection)
    assert (await get_rollout(connection, number)).state is RolloutState.STOPPED
