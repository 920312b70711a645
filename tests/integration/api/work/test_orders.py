"""Work orders over HTTP: an operator gives work, a technician does it, the ministry reads without names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from devices.instants import rfc3339
from devices.registry.editing import edit_device
from people.roles import Role
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.conftest import bearing
from tests.integration.work.builders import order, person, photo_file, step
from work.assigning import Crew
from work.steps import accept

ORDERS = "/api/v1/work-orders"
HTML = "<script>alert(1)</script> & <b>lid</b>"


async def test_order_does_not_tell_where_its_device_stands_in_another_municipality(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-2", municipality="nablus")
    device = await builders.add(connection, "bin-1", lat=34.43, lon=35.84)
    made = await client.post(ORDERS, json={"alerts": [await builders.fire(connection, device)]})
    before = (await client.get(made.headers["Location"])).json()
    change = {"municipality": "nablus"}
    await edit_device(connection, builders.KINDS, "bin-1", change, now=builders.now, by=PLATFORM)

    moved = (await client.get(made.headers["Location"])).json()
    (listed,) = (await client.get(ORDERS)).json()["items"]
    file = (await client.get("/api/v1/exports/work-orders", params={"format": "csv"})).text

    assert (before["lat"], before["lon"]) == (34.43, 35.84)
    assert (moved["municipality"], moved["lat"], moved["lon"]) == ("tripoli", None, None)
    assert (listed["lat"], listed["lon"]) == (None, None)
    assert ("bin-1" in file, "34.43" in file) == (True, False)


async def test_an_alert_is_given_done_with_a_photo_and_shown(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    await person(connection, "rima", skills=["bin"], display_name="ريما")
    await connection.execute("UPDATE device SET title = 'Al-Tall', lat = 34.43, lon = 35.84")

    made = await client.post(ORDERS, json={"alerts": [alert]})
    assert made.status_code == 201
    one = made.headers["Location"]
    shown = (await client.get(one)).json()
    assert [s["name"] for s in shown["suggested"]] == ["rima"]
    assert (shown["device_title"], shown["lat"], shown["lon"]) == ("Al-Tall", 34.43, 35.84)
    assert shown["summary"]["fr"].endswith("est plein")
    assert "lid_closes" in [item["name"] for item in shown["checklist"]]
    again = await client.post(ORDERS, json={"alerts": [alert]})
    assert (again.status_code, "is in work order" in again.json()["detail"]) == (409, True)
    arabic = await client.post(
        "/api/v1/work-orders", json={"alerts": [alert]}, headers={"Accept-Language": "ar-LB"}
    )
    assert arabic.json()["detail"] == (
        f"التنبيه \u2068{alert}\u2069 موجود بالفعل في أمر العمل \u2068{shown['id']}\u2069 المفتوح"
    )

    given = await client.post(f"{one}/assign", json={"assignee": "rima", "version": shown["version"]})
    assert (given.status_code, given.json()["state"]) == (200, "assigned")
    stale = await client.post(f"{one}/assign", json={"team": None, "version": shown["version"]})
    assert (stale.status_code, "changed since" in stale.json()["detail"]) == (409, True)
    assert (await client.post(f"{one}/accept")).json()["state"] == "accepted"
    listed = (await client.get("/api/v1/alerts")).json()["items"]
    assert [(a["work_order"], a["work_state"], a["held_by"]) for a in listed] == [
        (shown["id"], "accepted", f"work order {shown['id']}")
    ]
    photo = await client.post(f"{one}/photos", content=photo_file(), headers={"Content-Type": "image/png"})
    assert photo.status_code == 201
    unknown = await client.post(f"{one}/done", json={"done": "x", "checklist": [_yes("lid_close")]})
    assert (unknown.status_code, "lid_closes" in unknown.json()["detail"]) == (422, True)
    report = {
        "found": HTML,
        "done": "a new lid",
        "parts": [{"name": "lid"}],
        "checklist": [_yes("lid_closes")],
    }
    done = await client.post(f"{one}/done", json=report)
    assert (done.status_code, done.json()["state"]) == (200, "done")

    shown = (await client.get(one)).json()
    assert shown["reports"][0]["found"] == HTML, "it stays text, as it was written"
    assert shown["suggested"] == []
    assert [e["type"] for e in shown["events"]][-2:] == ["photo-added", "done"]
    kept = await client.get(f"{one}/photos/{photo.json()['id']}")
    assert kept.headers["Content-Type"] == "image/png"
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    assert kept.headers["Content-Disposition"] == "inline"
    for asked, found in (("open=true", 0), ("state=done", 1), ("assignee=rima", 1), ("overdue=true", 0)):
        assert len((await client.get(f"{ORDERS}?{asked}")).json()["items"]) == found, asked


def _yes(item: str) -> dict[str, str]:
    return {"item": item, "answer": "yes"}


async def test_a_technician_acts_on_their_own_work_and_gives_none(
    pool: asyncpg.Pool, connection: asyncpg.Connection, client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    rima = await person(connection, "rima")
    made = await order(connection, to=Crew(assignee="rima"))
    token = await builders.token(connection, role=Role.TECHNICIAN, municipality="tripoli")
    one = f"{ORDERS}/{made.id}"

    async with bearing(pool, token, tmp_path) as technician:
        # Refused before the photo is unpacked: what is none is not found out.
        assert (await technician.post(f"{one}/photos", content=b"no photo")).status_code == 409
        answers = [
            await technician.post(f"{one}/accept"),
            await technician.post(f"{one}/comments", json={"text": "hm"}),
            await technician.post(f"{one}/assign", json={"assignee": "rima"}),
            await technician.post(f"{one}/cancel", json={"reason": "no"}),
            await technician.post(ORDERS, json={"device": "bin-1", "title": "look"}),
        ]
        assert [a.status_code for a in answers] == [409, 409, 403, 403, 403]
        assert "is not yours" in answers[0].json()["detail"]
    await accept(connection, made.id, step(rima, own_only=True))
    late = rfc3339(builders.NOON - timedelta(days=8))
    refused = await client.post(f"{one}/start", json={"happened_at": late})
    assert (refused.status_code, "7 days" in refused.json()["detail"]) == (422, True)


async def test_the_ministry_reads_without_names_and_words(
    pool: asyncpg.Pool, connection: asyncpg.Connection, client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    rima = await person(connection, "rima")
    made = await order(connection, to=Crew(assignee="rima"))
    one = f"{ORDERS}/{made.id}"
    await accept(connection, made.id, step(rima))
    await client.post(f"{one}/comments", json={"text": "Mr Haddad has the key"})
    await client.post(
        f"{one}/done", json={"found": "Mr Haddad", "done": "Mr Haddad", "parts": [{"name": "Haddad's lid"}]}
    )
    photo = (await client.post(f"{one}/photos", content=photo_file())).json()["id"]
    plan = {"title": "Mr Haddad's bin", "every": 6, "unit": "months", "device": "bin-1"}
    assert (await client.post("/api/v1/work-plans", json=plan)).status_code == 201
    token = await builders.token(connection, role=Role.MINISTRY)

    async with bearing(pool, token, tmp_path / "photos") as ministry:
        shown = await ministry.get(one)
        assert [word for word in ("rima", "Haddad", "empty it") if word in shown.text] == []
        assert shown.json()["photos"] == []
        plans = await ministry.get("/api/v1/work-plans")
        assert (len(plans.json()["items"]), "Haddad" in plans.text) == (1, False)
        assert (await ministry.get(f"{one}/photos/{photo}")).status_code == 403
        for asked, found in (("", 1), ("?assignee=rima", 0), ("?text=empty", 0)):
            assert len((await ministry.get(ORDERS + asked)).json()["items"]) == found, asked


@pytest.mark.attack("photos of work")
async def test_what_is_no_photo_is_refused_clearly(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    made = await order(connection)
    sent: dict[str, tuple[bytes, int]] = {
        "html": (HTML.encode(), 422),
        "empty": (b"", 422),
        "cut off": (photo_file()[:40], 422),
        "too many bytes": (bytes(8 * 1024 * 1024 + 1), 413),
        "brackets without end": (b"[" * 300_000, 422),
    }
    answers: dict[str, Any] = {}
    for name, (content, _) in sent.items():
        answers[name] = await client.post(
            f"{ORDERS}/{made.id}/photos", content=content, headers={"Content-Type": "image/jpeg"}
        )

    assert {n: a.status_code for n, a in answers.items()} == {n: status for n, (_, status) in sent.items()}
    assert all(a.headers["Content-Type"] == "application/problem+json" for a in answers.values())
    assert "whatever it is called" in answers["html"].json()["detail"]
    assert (await client.get(f"{ORDERS}/{made.id}")).json()["photos"] == []
    missing = await client.get(f"{ORDERS}/{made.id}/photos/00000000-0000-0000-0000-000000000000")
    assert missing.status_code == 404


async def test_a_repeated_request_makes_one_order(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    body, headers = {"device": "bin-1", "title": "look"}, {"Idempotency-Key": "one"}
    first, second = [await client.post(ORDERS, json=body, headers=headers) for _ in range(2)]

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len((await client.get(ORDERS)).json()["items"]) == 1
