"""Messages are answered by a signed link or by SMS: once, by who was told, and by POST alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from alerts import events, queue
from alerts.events import EventType
from devices.instants import to_datetime, to_microseconds
from notify.answers import offers
from notify.answers.offers import AnswerOffer
from people import throttle
from people.editing import NewPerson, add_person, disable_person
from people.identity import of_texts
from people.person import get_person
from people.roles import Role, TokenScope
from store.audit import PLATFORM
from tests.integration.api import builders

PUBLIC = "https://nabd.example.org"
NUMBER = "+961 70 123 456"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A person who was told of alerts. path: of their link."""

    person: int
    alerts: tuple[int, ...]
    offer: AnswerOffer
    path: str


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody without an identity."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers={"Accept": "text/html"}
    ) as client:
        yield client


async def told(
    connection: asyncpg.Connection,
    name: str = "amal",
    *,
    roles: str = "technician@tripoli",
    alerts: int = 1,
    days_ago: float = 0,
    **more: Any,
) -> Told:
    """Tell a person of alerts in Tripoli."""
    await builders.add_town(connection)
    grants = sorted(of_texts([roles]), key=str)
    new = NewPerson(name=name, grants=grants, phone=NUMBER, **more)
    await add_person(connection, new, builders.now(), by=PLATFORM)
    person = await get_person(connection, name)
    numbers = []
    for n in range(alerts):
        device = await builders.add(connection, f"bin-{name}-{n}", title="<b>Souk</b>")
        numbers.append(await builders.fire(connection, device))
    return await offered(connection, person.id, tuple(numbers), days_ago=days_ago)


async def offered(
    connection: asyncpg.Connection,
    person: int,
    alerts: tuple[int, ...],
    *,
    days_ago: float = 0,
    coded: bool = True,
) -> Told:
    """Offer an answer."""
    at = to_microseconds(builders.NOON - timedelta(days=days_ago))
    offer = await offers.offer(connection, uuid4(), person, alerts, at, coded=coded)
    assert offer is not None
    url = offers.address(PUBLIC, await offers.signing_key(connection, at), offer)
    return Told(person=person, alerts=alerts, offer=offer, path=url.removeprefix(PUBLIC))


async def notes(connection: asyncpg.Connection, alert: int) -> list[tuple[str, str | None, str | None]]:
    """Return what people did about an alert: type, author and words."""
    found = await events.history(connection, alert)
    return [(e.type.value, e.author, e.body) for e in found if e.type is not EventType.OPENED]


async def test_link_shows_the_alert_and_acts_only_when_a_button_is_pressed(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection, language="ar")

    for query in ("", "?answer=decline", "?answer=acknowledge"):
        page = await stranger.get(amal.path + query)
        assert page.status_code == 200
    assert await notes(connection, amal.alerts[0]) == []
    assert '<html lang="ar" dir="rtl">' in page.text
    assert "<strong>كبير</strong>: <bdi>" in page.text
    assert "ممتلئ" in page.text
    assert "&lt;b&gt;Souk&lt;/b&gt;" in page.text
    assert "<b>Souk" not in page.text

    done = await stranger.post(amal.path, data={"answer": "acknowledge", "comment": "on my way"})

    assert (done.status_code, "شكرًا" in done.text) == (200, True)
    assert await notes(connection, amal.alerts[0]) == [
        ("acknowledged", "amal", ""),
        ("comment", "amal", "on my way"),
    ]
    alert = await queue.get_alert(connection, amal.alerts[0])
    assert alert is not None
    assert alert.acknowledged_by == "amal"


async def test_answer_stands_in_the_audit_as_the_persons(
    stranger: httpx2.AsyncClient, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal, omar = await told(connection), await told(connection, "omar")

    await stranger.post(amal.path, data={"answer": "acknowledge"})
    await stranger.post(omar.path, data={"answer": "decline"})

    for who, action, alert in (("amal", "alert.acknowledge", amal), ("omar", "alert.decline", omar)):
        (row,) = (await client.get("/api/v1/audit", params={"who": who})).json()["items"]
        assert (row["action"], row["subject"]) == (action, str(alert.alerts[0]))
        assert (row["address"], row["municipality"]) == ("127.0.0.1", "tripoli")


async def test_who_cannot_come_says_why_and_the_alert_stays_open_for_others(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection, alerts=2)

    done = await stranger.post(amal.path, data={"answer": "decline", "comment": "<i>far\x00\r\naway"})

    assert "The next person is told." in done.text
    for alert in amal.alerts:
        assert await notes(connection, alert) == [("declined", "amal", "<i>far away")]
        found = await queue.get_alert(connection, alert)
        assert found is not None
        assert found.acknowledged_at is None


async def test_link_is_good_once_also_for_two_at_the_same_moment(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection)

    both = await asyncio.gather(*(stranger.post(amal.path, data={"answer": "decline"}) for _ in range(2)))
    again = [await stranger.post(amal.path, data={"answer": "acknowledge"}), await stranger.get(amal.path)]

    assert sorted(a.status_code for a in both) == [200, 409]
    assert [a.status_code for a in again] == [409, 409]
    assert all("You have answered already" in a.text for a in again)
    assert await notes(connection, amal.alerts[0]) == [("declined", "amal", "")]


async def _expired(connection: asyncpg.Connection) -> Told:
    return await told(connection, days_ago=7)


async def _ended(connection: asyncpg.Connection) -> Told:
    amal = await told(connection)
    await connection.execute(
        "UPDATE alert SET state = 'resolved', resolved_at = $1 WHERE id = $2", builders.NOON, amal.alerts[0]
    )
    return amal


async def _disabled(connection: asyncpg.Connection) -> Told:
    amal = await told(connection)
    await disable_person(connection, "amal", builders.now(), by=PLATFORM)
    return amal


async def _deleted(connection: asyncpg.Connection) -> Told:
    amal = await told(connection)
    await connection.execute("DELETE FROM person WHERE id = $1", amal.person)
    return amal


async def _elsewhere(connection: asyncpg.Connection) -> Told:
    await builders.add_town(connection, "saida")
    return await told(connection, roles="technician@saida")


async def _looking_only(connection: asyncpg.Connection) -> Told:
    return await told(connection, roles="viewer@tripoli")


@pytest.mark.parametrize(
    ("prepare", "status", "words"),
    [
        (_expired, 409, "This link has expired"),
        (_ended, 409, "It is over"),
        (_disabled, 403, "You may not answer"),
        (_deleted, 404, "not one of ours"),
        (_elsewhere, 403, "You may not answer"),
        (_looking_only, 403, "You may not answer"),
    ],
)
async def test_link_that_is_good_no_more_says_why(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection, prepare: Any, status: int, words: str
) -> None:
    amal = await prepare(connection)

    shown = await stranger.get(amal.path)
    pressed = await stranger.post(amal.path, data={"answer": "acknowledge"})

    assert (shown.status_code, pressed.status_code) == (status, status)
    assert words in shown.text
    assert words in pressed.text
    assert await notes(connection, amal.alerts[0]) == []


async def test_link_that_was_tampered_with_is_none_and_guessing_ends(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection)
    number, rest = amal.path.removeprefix("/answer/").split("-", 1)
    forged = f"/answer/{int(number) + 1}-{rest}"

    answers = [await stranger.get(forged, headers={"Accept-Language": "fr"})]
    answers += [await stranger.post(forged, data={"answer": "acknowledge"}) for _ in range(9)]
    late = await stranger.post(forged, data={"answer": "acknowledge"})

    assert {a.status_code for a in answers} == {404}
    assert "Ce lien n&#x27;est pas" in answers[0].text
    assert late.status_code == 429
    assert (await stranger.get(amal.path)).status_code == 200, "who has a good link does not wait"


async def test_buttons_of_another_site_may_answer_and_an_answer_must_be_one(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection)
    elsewhere = {"Origin": "https://ntfy.example.org", "Sec-Fetch-Site": "cross-site"}

    nothing = [await stranger.post(amal.path, data=data) for data in ({}, {"answer": "yes"})]
    done = await stranger.post(amal.path, data={"answer": "acknowledge"}, headers=elsewhere)

    assert [a.status_code for a in nothing] == [422, 422]
    assert done.status_code == 200
    assert done.headers["access-control-allow-origin"] == "*"


async def test_button_of_a_service_is_told_what_went_wrong_as_a_problem(
    stranger: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection)
    stranger.headers["Accept"] = "*/*"

    done, again = [await stranger.post(amal.path, data={"answer": "decline"}) for _ in range(2)]

    assert (done.status_code, again.status_code) == (200, 409)
    assert again.headers["content-type"] == "application/problem+json"
    assert "You have answered already" in again.json()["detail"]


async def test_every_attempt_to_send_a_message_offers_the_same(connection: asyncpg.Connection) -> None:
    amal = await told(connection)
    delivery = UUID(int=7)

    first, again = [
        await offers.offer(connection, delivery, amal.person, amal.alerts, builders.now() + late, coded=True)
        for late in (0, 10**9)
    ]

    assert first == again


async def test_offers_are_forgotten_a_week_after_they_expired(connection: asyncpg.Connection) -> None:
    amal = await told(connection, days_ago=15)
    fresh = await offered(connection, amal.person, amal.alerts, days_ago=13)

    at = to_datetime(builders.now())
    await offers.OFFERS.forget_before(connection, at - offers.KEPT_FOR, limit=100, now=at)

    assert await offers.find(connection, amal.offer.id) is None
    assert await offers.find(connection, fresh.offer.id) is not None


@pytest.fixture
async def gateway(app: FastAPI, connection: asyncpg.Connection) -> AsyncIterator[httpx2.AsyncClient]:
    """A gateway that passes SMS on."""
    token = await builders.token(connection, "gateway", role=None, scopes=[TokenScope.SMS_ANSWERS])
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:
        yield client


async def passed_on(gateway: httpx2.AsyncClient, sender: str, text: str) -> httpx2.Response:
    """Pass an SMS on."""
    return await gateway.post("/api/v1/answers/sms", json={"from": sender, "text": text})


async def test_sms_with_the_code_acknowledges_from_the_number_that_was_told(
    gateway: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection)

    answer = await passed_on(gateway, "0096170123456", f"ok {amal.offer.code}")
    again = await passed_on(gateway, NUMBER, amal.offer.code)

    assert (answer.status_code, answer.json()) == (
        200,
        {"answer": "acknowledge", "alerts": list(amal.alerts)},
    )
    assert await notes(connection, amal.alerts[0]) == [("acknowledged", "amal", "")]
    assert (again.status_code, "answered already" in again.json()["detail"]) == (409, True)


@pytest.mark.parametrize("numbers", ["+961 3 999 999", ["+961 3 999 999"]])
async def test_sms_counts_from_the_number_of_the_channel_too(
    gateway: httpx2.AsyncClient, connection: asyncpg.Connection, numbers: str | list[str]
) -> None:
    amal = await told(connection, channels={"sms": numbers})

    answer = await passed_on(gateway, "9613999999", amal.offer.code)

    assert answer.status_code == 200


async def test_sms_that_says_no_declines(gateway: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    amal = await told(connection)

    answer = await passed_on(gateway, NUMBER, f"لا {amal.offer.code}، أنا مريض")

    assert answer.json()["answer"] == "decline"
    assert await notes(connection, amal.alerts[0]) == [("declined", "amal", "أنا مريض")]


async def test_sms_from_another_number_or_with_another_code_does_nothing_and_must_wait(
    gateway: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection)
    wrong = str(10_000 + (int(amal.offer.code) - 9_999) % 90_000)

    answers = [await passed_on(gateway, "+96170999999", amal.offer.code)]
    answers += [await passed_on(gateway, NUMBER, text) for text in ("hello", *[wrong] * 9)]
    late = await passed_on(gateway, "961 70 123456", amal.offer.code)

    assert {a.status_code for a in answers} == {404}
    assert (late.status_code, "retry-after" in late.headers) == (429, True)
    assert await notes(connection, amal.alerts[0]) == []


async def test_code_is_good_for_a_day_and_only_of_an_sms(
    gateway: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection, days_ago=1)
    by_link = await offered(connection, amal.person, amal.alerts, coded=False)

    assert (await passed_on(gateway, NUMBER, amal.offer.code)).status_code == 404
    assert by_link.offer.code == ""


async def test_refused_codes_count_too_and_many_in_a_day_end_it(
    gateway: httpx2.AsyncClient, connection: asyncpg.Connection, app: FastAPI
) -> None:
    amal = await told(connection)
    used = await told(connection, "rima")
    key = throttle.of_name("sms 96170123456")

    first = await passed_on(gateway, NUMBER, used.offer.code)
    again = [await passed_on(gateway, NUMBER, used.offer.code) for _ in range(10)]
    late = await passed_on(gateway, NUMBER, amal.offer.code)

    assert (first.status_code, {a.status_code for a in again}, late.status_code) == (200, {409}, 429)
    assert int(late.headers["retry-after"]) <= 60
    for _ in range(20):
        app.state.context.sms_answers_of_day.failed(key, builders.now() / 1e6)
    late = await passed_on(gateway, NUMBER, amal.offer.code)
    assert int(late.headers["retry-after"]) > 3600


async def test_only_a_token_for_it_passes_sms_on(
    gateway: httpx2.AsyncClient, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    amal = await told(connection)

    operator = await builders.token(connection, "operator", role=Role.OPERATOR)
    client.headers["Authorization"] = f"Bearer {operator}"
    refused = await passed_on(client, NUMBER, amal.offer.code)

    assert refused.status_code == 403
    assert (await gateway.get("/api/v1/alerts")).status_code == 403
