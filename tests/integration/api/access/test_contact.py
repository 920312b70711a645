"""How people are told of alerts: said by an administrator, and by themselves."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx2
from fastapi import FastAPI

from api.http.guards import COOKIE
from people.editing import NewPerson, add_person
from people.identity import of_texts
from people.person import get_person
from people.sessions import SessionLimits, open_session
from store.audit import PLATFORM
from tests.integration.api import builders

STEPS = [{"channel": "ntfy", "after_s": 0}, {"channel": "sms", "after_s": 300}]
QUIET = [{"from": "22:00", "until": "06:00", "below": "major"}]


async def test_an_administrator_says_how_a_person_is_told(client: httpx2.AsyncClient) -> None:
    added = await client.post(
        "/api/v1/users",
        json={"name": "rima", "phone": "+961 3 123 456", "channels": {"ntfy": "rima"}, "steps": STEPS},
    )
    changed = await client.patch("/api/v1/users/rima", json={"quiet_hours": QUIET})
    wrong = await client.patch("/api/v1/users/rima", json={"channels": {"ntfi": "rima"}})
    late = await client.patch("/api/v1/users/rima", json={"steps": [{"channel": "push", "after_s": 0}]})

    assert (added.status_code, added.json()["quiet_hours"]) == (201, [])
    assert (changed.json()["steps"], changed.json()["quiet_hours"]) == (STEPS, QUIET)
    assert (wrong.status_code, late.status_code) == (422, 422)
    assert "did you mean 'ntfy'" in wrong.text
    assert "there is no address for push" in late.text


async def test_what_was_stored_before_it_was_checked_does_not_stop_other_changes(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await client.post("/api/v1/users", json={"name": "rima", "phone": "+961 3 123 456", "steps": STEPS[1:]})
    await connection.execute("UPDATE person SET channels = $1", {"pager": {"old": 7}})

    answer = await client.patch("/api/v1/users/rima", json={"language": "ar", "phone": None})

    assert answer.status_code == 200, answer.text


async def test_people_say_it_of_themselves_but_not_what_reaches_into_other_systems(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    new = NewPerson(
        name="rima", grants=sorted(of_texts(["viewer"]), key=str), channels={"mqtt": "people/rima"}
    )
    rima = await add_person(connection, new, builders.now(), by=PLATFORM)
    limits = SessionLimits(idle=timedelta(days=9_999), longest=timedelta(days=9_999))
    session = await open_session(
        connection, rima.id, builders.now(), limits, address="127.0.0.1", user_agent="test"
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        browser.cookies.set(COOKIE, session)
        before = (await browser.get("/api/v1/session/contact")).json()
        channels = {"mqtt": "people/rima", "ntfy": "rima", "sms": "+961 3 123 456"}
        said = {"channels": channels, "steps": STEPS, "quiet_hours": QUIET, "language": "ar"}
        answer = await browser.patch("/api/v1/session/contact", json=said)
        refused = [
            await browser.patch("/api/v1/session/contact", json=body)
            for body in (
                {"channels": {"webhook": "https://example.org"}},
                {"channels": {"mqtt": "tripoli/light/light-1/command"}},
                {"roles": ["admin"]},
            )
        ]

    known = {"email": None, "phone": None}
    assert before == {
        "channels": {"mqtt": "people/rima"},
        "steps": [],
        "quiet_hours": [],
        "language": "en",
        **known,
    }
    assert (answer.status_code, answer.json()) == (200, {**said, **known})
    assert [r.status_code for r in refused] == [422, 422, 422]
    assert (await client.get("/api/v1/session/contact")).status_code == 403, "a token is nobody to be told"
    kept = await get_person(connection, "rima")
    assert (kept.channels, kept.steps, kept.quiet_hours) == (channels, STEPS, QUIET)
    row = await connection.fetchrow("SELECT * FROM audit WHERE action = 'person.edit'")
    assert row is not None
    assert (row["principal_id"], row["after"]["channels"]) == (rima.id, "(left out)")
