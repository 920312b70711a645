"""Images by HTTP: pieces, tags and refusals; a device's password opens its image and nothing else."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from api.app import create_app, routes_of
from devices.credentials.issuing import revoke, rotate_passwords
from devices.firmware.image import facts_of, public_of, sign
from devices.firmware.image_files import ImageDirectory
from devices.firmware.images import add_image
from devices.firmware.rollouts import NewRollout, start
from store.audit import PLATFORM
from tests.integration.api import builders

CONTENT = bytes(range(256)) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An image that is offered to light-1 and not to light-2, and both passwords."""

    app: FastAPI
    url: str
    sha256: str
    first: httpx2.BasicAuth
    second: httpx2.BasicAuth


@pytest.fixture
async def offered(pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path) -> Offered:
    """An image on offer."""
    for name in ("light-1", "light-2"):
        await builders.add(connection, name, kind="light")
    issued = await rotate_passwords(
        connection,
        builders.KINDS,
        ["light-1", "light-2"],
        now=builders.now,
        by=PLATFORM,
        random=secrets.token_bytes,
    )
    key = Ed25519PrivateKey.generate()
    facts = facts_of(CONTENT, "light", "2.0.0")
    ImageDirectory(tmp_path).write(facts.sha256, CONTENT)
    signed = {"signature": sign(facts, key), "public_key": public_of(key)}
    await add_image(connection, builders.KINDS, facts, **signed, note="", now=builders.now, by=PLATFORM)
    await start(connection, NewRollout(kind="light", version="2.0.0"), builders.now, by=PLATFORM)
    await connection.execute(
        """
        UPDATE rollout_device SET state = 'offered', offered_at = changed_at
        WHERE device_id = (SELECT id FROM device WHERE name = 'light-1')
        """
    )
    app = create_app(
        pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True, firmware_dir=tmp_path
    )
    accounts = {one.username: httpx2.BasicAuth(one.username, one.password) for one in issued}
    return Offered(
        app=app,
        url=f"/firmware/{facts.sha256}",
        sha256=facts.sha256,
        first=accounts["light-1"],
        second=accounts["light-2"],
    )


def asking(app: FastAPI) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_image_is_fetched_whole_and_in_pieces_and_taken_up_where_it_broke(offered: Offered) -> None:
    async with asking(offered.app) as client:

        async def fetch(**headers: str) -> httpx2.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.get(offered.url, headers=named, auth=offered.first)

        whole = await fetch()
        piece = await fetch(Range="bytes=1000-", If_Range=f'"{offered.sha256}"')
        other = await fetch(Range="bytes=1000-", If_Range='"another"')
        beyond = await fetch(Range="bytes=1024-")

    assert (whole.status_code, whole.content, whole.headers["etag"]) == (200, CONTENT, f'"{offered.sha256}"')
    assert (piece.status_code, piece.content) == (206, CONTENT[1000:])
    assert piece.headers["content-range"] == "bytes 1000-1023/1024"
    assert (other.status_code, other.content) == (200, CONTENT)
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */1024")


async def test_image_is_for_devices_that_it_is_offered_to(
    offered: Offered, connection: asyncpg.Connection
) -> None:
    async with asking(offered.app) as client:
        nobody = await client.get(offered.url)
        wrong = await client.get(offered.url, auth=httpx2.BasicAuth("light-1", "wrong"))
        other = await client.get(offered.url, auth=offered.second)
        unknown = await client.get(f"/firmware/{'0' * 64}", auth=offered.first)
        odd = await client.get("/firmware/..%2fsecret", auth=offered.first)
        bearer = await client.get(offered.url, headers=builders.BEARER)
        guesses = [await client.get(offered.url, auth=httpx2.BasicAuth("light-2", "x")) for _ in range(11)]
        beside = await client.get(offered.url, auth=offered.first)
        await revoke(connection, ["light-1"], now=builders.now, by=PLATFORM)
        revoked = await client.get(offered.url, auth=offered.first)

    answers = (nobody, wrong, other, unknown, odd, bearer, revoked)
    assert [answer.status_code for answer in answers] == [401, 401, 404, 404, 404, 401, 401]
    assert nobody.headers["www-authenticate"].startswith("Basic ")
    assert (guesses[-1].status_code, beside.status_code) == (429, 200), "others behind one address go on"


async def test_password_of_a_device_opens_nothing_else(offered: Offered) -> None:
    refused = 0
    async with asking(offered.app) as client:
        for method, path in routes_of(offered.app):
            if not path.startswith("/api/v1/") or path == "/api/v1/telemetry":  # its own readings
                continue
            answer = await client.request(method, path.replace("{", "").replace("}", ""), auth=offered.first)
            assert answer.status_code in (401, 429), (method, path)
            refused += 1
    assert refused > 150
