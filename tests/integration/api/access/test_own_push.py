"""People let their own browsers take messages, and take that back."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import httpx2
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from api.app import create_app
from api.http.guards import COOKIE
from people.browsers.subscriptions import MOST_BROWSERS
from people.editing import NewPerson, add_person, delete_person, disable_person, set_password
from people.identity import of_texts
from people.person import get_person
from people.sessions import SessionLimits, open_session
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.notify.test_web_push import StubBrowser, channel_to, subscribed
from tests.unit.notify.channels.services import HttpService, http
from tests.unit.notify.channels.services import serving as push_service

SESSIONS = "/api/v1/session/all"
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
    await add_person(connection, new, builders.now(), by=PLATFORM)
    async with another(app, connection, name) as browser:
        yield browser


@asynccontextmanager
async def another(
    app: FastAPI, connection: asyncpg.Connection, name: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """Another browser in which somebody is signed in."""
    person = await get_person(connection, name)
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
    assert added.json()["endpoint_digest"] == sha256(body()["endpoint"].encode()).hexdigest()
    assert added.json()["created_at"]
    assert [one["browser"] for one in listed] == ["Firefox, Android"] * 2
    assert "wpush" not in str(listed), "whoever reads the endpoint could write there"
    assert [answer.status_code for answer in gone] == [204, 204, 404, 204]
    assert left == []
    assert (await client.get(URL)).status_code == 403, "a token has no browser"
    actions = await connection.fetch("SELECT action FROM audit WHERE action LIKE 'person.push%' ORDER BY id")
    assert [row["action"] for row in actions] == ["person.push-subscribe"] * 2 + [
        "person.push-unsubscribe"
    ] * 2, "what was said again is no change"


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
    lost = "SELECT subject::integer FROM audit WHERE action = 'person.push-unsubscribe'"
    assert await connection.fetchval(lost) == (await get_person(connection, "rima")).id
    await delete_person(connection, "samir", builders.now(), by=PLATFORM)
    assert await connection.fetchval("SELECT count(*) FROM push_subscription") == 0


async def test_messages_end_with_the_session_that_is_ended_and_not_with_one_that_runs_out(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    def endpoint(name: str) -> dict[str, Any]:
        return body(f"https://push.example.org/{name}")

    async def left() -> list[str]:
        rows = await connection.fetch("SELECT endpoint FROM push_subscription ORDER BY endpoint")
        return [row["endpoint"].rpartition("/")[2] for row in rows]

    async with signed_in(app, connection, "rima") as phone:
        async with another(app, connection, "rima") as desk, another(app, connection, "rima") as tablet:
            for name, browser in (("phone", phone), ("desk", desk), ("tablet", tablet)):
                assert (await browser.post(URL, json=endpoint(name))).status_code == 201
            [lost] = [one["id"] for one in (await phone.get(SESSIONS)).json()["items"] if one["this"]]
            assert (await desk.delete(f"{SESSIONS}/{lost}")).status_code == 204
            assert await left() == ["desk", "tablet"], "signed out from afar"
            assert (await tablet.delete("/api/v1/session")).status_code == 204
            assert await left() == ["desk"], "signed out there"

            # As when a session has run out: whoever is on call is still told.
            await connection.execute("DELETE FROM session")
            assert await left() == ["desk"]
        async with another(app, connection, "rima") as desk:
            await desk.post(URL, json=endpoint("desk"))
            await desk.post(URL, json=endpoint("other"))
            person = await get_person(connection, "rima")
            async with another(app, connection, "rima") as phone_again:
                await phone_again.post(URL, json=endpoint("phone"))
                kept = await connection.fetchval("SELECT max(id) FROM session")
                await set_password(
                    connection, person, "correct horse battery", builders.now(), by=PLATFORM, keep=kept
                )
    assert await left() == ["phone"], "another password ends all but the session that set it"
    await disable_person(connection, "rima", builders.now(), by=PLATFORM)
    assert await left() == []


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


async def test_a_test_arrives_at_the_browser_that_asks_for_it_and_at_no_other(
    pool: asyncpg.Pool, connection: asyncpg.Connection, dsn: str
) -> None:
    asking, resting = StubBrowser(), StubBrowser()
    channel = channel_to(dsn, "127.0.0.0/8")
    app = create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=False,
        channels={"web-push": channel},
    )
    try:
        async with (
            push_service(HttpService(http(201))) as service,
            signed_in(app, connection, "rima") as rima,
        ):
            mine = f"{service.url}/wpush/1"
            await subscribed(connection, asking, mine)
            await subscribed(connection, resting, f"{service.url}/wpush/2")

            sent = await rima.post(f"{URL}/test", json={"endpoint": mine}, headers={"Accept-Language": "ar"})
            strange = await rima.post(f"{URL}/test", json={"endpoint": f"{service.url}/wpush/3"})
            service.answer = http(410)
            gone = await rima.post(f"{URL}/test", json={"endpoint": mine})
    finally:
        await channel.close()

    first, _ = service.asked
    assert (sent.status_code, first.line) == (204, "POST /wpush/1 HTTP/1.1")
    assert asking.read(first.body)["title"] == "نبض: تجربة"
    assert strange.status_code == 404
    assert gone.status_code == 409
    assert "its push service did not take it" in gone.json()["detail"]
