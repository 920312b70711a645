"""People let their own browsers take messages, and take that back."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from api.app import create_app
from api.http.guards import COOKIE
from people.browsers.subscriptions import MOST_BROWSERS
from people.editing import NewPerson, add_person, delete_person
from people.identity import of_texts
from people.sessions import SessionLimits, open_session
from store.audit import PLATFORM
from tests.integration.api import builders

URL = "/api/v1/session/push"
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"


def body(endpoint: str = "https://push.example.org/wpush/1", **keys: Any) -> dict[str, Any]:
    """Return a subscription as a browser's toJSON() says it."""
    return {"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": POINT, "auth": AUTH, **keys}}


@asynccontextmanager
async def signed_in(
    app: FastAPI, connection: asyncpg.Connection, name: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in which somebody new is signed in."""
    new = NewPerson(name=name, grants=sorted(of_texts(["viewer"]), key=str))
    person = await add_person(connection, new, builders.now(), by=PLATFORM)
    limits = SessionLimits(idle=timedelta(days=9_999), longest=timedelta(days=9_999))
    session = await open_session(
        connection, person.id, builders.now(), limits, address="127.0.0.1", user_agent="test"
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers={"User-Agent": FIREFOX}
    ) as browser:
        browser.cookies.set(COOKIE, session)
        yield browser


async def test_people_let_browsers_take_messages_and_take_that_back(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    async with signed_in(app, connection, "rima") as rima:
        added = await rima.post(URL, json=body())
        again = await rima.post(URL, json=body())
        other = await rima.post(URL, json=body("https://push.example.org/wpush/2"))
        listed = (await rima.get(URL)).json()["items"]
        gone = [
            await rima.request("DELETE", URL, json={"endpoint": body()["endpoint"]}),
            await rima.delete(f"{URL}?id={other.json()['id']}"),
            await rima.delete(f"{URL}?id={other.json()['id']}"),
            await rima.delete(f"{URL}?all=true"),
        ]
        left = (await rima.get(URL)).json()["items"]

    assert (added.status_code, again.json()["id"]) == (201, added.json()["id"])
    assert added.json()["endpoint_host"] == "push.example.org"
    assert added.json()["created_at"]
    assert [one["browser"] for one in listed] == ["Firefox, Android"] * 2
    assert "wpush" not in str(listed), "whoever reads the endpoint could write there"
    assert [answer.status_code for answer in gone] == [204, 204, 404, 204]
    assert left == []
    assert (await client.get(URL)).status_code == 403, "a token has no browser"
    actions = await connection.fetch("SELECT action FROM audit WHERE action LIKE 'person.push%' ORDER BY id")
    assert [row["action"] for row in actions] == ["person.push-subscribe"] * 3 + [
        "person.push-unsubscribe"
    ] * 2


async def test_a_browser_in_which_somebody_else_signs_in_is_theirs_alone(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    async with signed_in(app, connection, "rima") as rima, signed_in(app, connection, "samir") as samir:
        before = await rima.post(URL, json=body())
        after = await samir.post(URL, json=body())
        foreign = await rima.delete(f"{URL}?id={after.json()['id']}")

        assert (await rima.get(URL)).json()["items"] == []
        assert len((await samir.get(URL)).json()["items"]) == 1
    assert after.json()["id"] != before.json()["id"], "what waits for the number before is not theirs"
    assert foreign.status_code == 404
    await delete_person(connection, "samir", builders.now(), by=PLATFORM)
    assert await connection.fetchval("SELECT count(*) FROM push_subscription") == 0


async def test_what_is_no_subscription_is_refused(app: FastAPI, connection: asyncpg.Connection) -> None:
    wrong = [
        body("http://push.example.org/1"),
        body("ftp://push.example.org/1"),
        body("https://user:pw@push.example.org/1"),
        body("https://push.example.org/ 1"),
        body("https:///1"),
        body("https://[::1"),
        body("https://push.example.org/" + "x" * 2000),
        body(p256dh=POINT[:-1]),
        body(p256dh="B" + "A" * 86),
        body(auth="BTBZ"),
        body(auth="!" * 22),
    ]
    async with signed_in(app, connection, "rima") as rima:
        refused = [(await rima.post(URL, json=one)).status_code for one in wrong]
        loopback = await rima.post(URL, json=body("http://127.0.0.1:9/1"))
        many = [
            (await rima.post(URL, json=body(f"https://push.example.org/{n}"))).status_code
            for n in range(MOST_BROWSERS)
        ]

    assert refused == [422] * len(wrong)
    assert loopback.status_code == 201
    assert many == [201] * (MOST_BROWSERS - 1) + [409]


async def test_the_public_key_stays_the_same(app: FastAPI, client: httpx2.AsyncClient) -> None:
    key, again = [(await client.get("/api/v1/push/key")).json()["key"] for _ in range(2)]

    assert key == again
    point = base64.urlsafe_b64decode(key + "=")
    assert ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


async def test_nothing_is_offered_where_it_is_switched_off(pool: asyncpg.Pool) -> None:
    await builders.let_in(pool)
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=False, web_push=False)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=builders.BEARER
    ) as client:
        assert (await client.get("/api/v1/push/key")).status_code == 404
