"""People say which reports they get by e-mail, and get only what they may read."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx2
from fastapi import FastAPI

from api.http.guards import COOKIE
from people.editing import NewPerson, add_person
from people.identity import of_texts
from people.sessions import SessionLimits, open_session
from store.audit import PLATFORM
from tests.integration.api import builders

URL = "/api/v1/session/subscriptions"
WEEKLY = {"topic": "weekly-report", "municipality": "tripoli"}


async def test_people_say_which_reports_they_get(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await builders.add_town(connection, "nablus")
    grants = sorted(of_texts(["viewer@tripoli"]), key=str)
    new = NewPerson(name="rima", grants=grants, email="rima@example.org")
    rima = await add_person(connection, new, builders.now(), by=PLATFORM)
    limits = SessionLimits(idle=timedelta(days=9_999), longest=timedelta(days=9_999))
    session = await open_session(
        connection, rima.id, builders.now(), limits, address="127.0.0.1", user_agent="test"
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        browser.cookies.set(COOKIE, session)
        answers = [
            await browser.put(URL, json={"subscriptions": wanted})
            for wanted in (
                [WEEKLY],
                [WEEKLY],
                [{"topic": "weekly-report"}],
                [{"topic": "weekly-report", "municipality": "nablus"}],
                [{"topic": "audit-heads"}],
            )
        ]
        kept = (await browser.get(URL)).json()
        none = await browser.put(URL, json={"subscriptions": []})

    assert [a.status_code for a in answers] == [200, 200, 422, 409, 409]
    assert kept == {"subscriptions": [WEEKLY]}
    assert none.json() == {"subscriptions": []}
    assert (await client.get(URL)).status_code == 403, "a token gets no e-mail"
    actions = await connection.fetch("SELECT action FROM audit WHERE principal_id = $1 ORDER BY id", rima.id)
    assert [row["action"] for row in actions] == ["person.subscribe", "person.unsubscribe"]
