"""Receivers that are away or hang, kills, outages, mistakes, and makers who may not any more."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Any

import asyncpg
import httpx2
import pytest

from api.standards.ngsi_ld.subscriptions import endpoint, following
from api.standards.ngsi_ld.subscriptions.endpoint import EntityNotification
from devices.registry.registry import Device
from people.editing import NewPerson, add_person, delete_person, edit_person
from people.identity import of_texts
from people.roles import Role
from people.tokens import revoke_token
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.standards.following import Clock, Follow, heard
from tests.integration.api.standards.subscribing import (
    after,
    fills,
    hears_of,
    stands,
    subscribe,
    told,
    wish,
)
from tests.unit.notify.channels.services import HttpService, http, serving
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("reaching_here")


async def test_receiver_that_is_away_is_told_the_newest_later_and_keeps_nobody_waiting(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    clock: Clock,
    bin_1: Device,
) -> None:
    async with serving(HttpService(http(500, b"not now, Bearer t0k3n"))) as away, follow():
        headers = [{"key": "Authorization", "value": "Bearer t0k3n"}]
        endpoint = {"uri": away.url, "receiverInfo": headers}
        address = await subscribe(client, wish(away, notification={"endpoint": endpoint}))
        await subscribe(client, wish(receiver))
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        failed = await stands(client, address, status="failed", state="active", timesFailed=1)
        for number, fill in ((2, 20.0), (3, 30.0)):
            await builders.report(connection, bin_1, at=after(minutes=number), fill_pct=fill)
            await hears_of(receiver, fill / 100)
        assert len(away.asked) == 1, "left alone for a while"
        clock.pass_(seconds=10)
        await stands(client, address, timesFailed=2)
        away.answer = http(200)
        clock.pass_(seconds=10)
        await builders.report(connection, bin_1, at=after(minutes=4), fill_pct=40.0)
        await hears_of(receiver, 0.4)
        assert len(away.asked) == 2, "twice as long"
        clock.pass_(seconds=10)
        there = await stands(client, address, status="ok", timesSent=3, timesFailed=2)

    assert failed["statusReason"].startswith("500 Internal Server Error: not now")
    assert "t0k3n" not in failed["statusReason"]
    assert "statusReason" not in there
    assert fills(away) == [[("bin-1", 0.1)], [("bin-1", 0.3)], [("bin-1", 0.4)]]


async def test_receivers_that_hang_delay_none_of_another_municipality(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    bin_1: Device,
) -> None:
    monkeypatch.setattr(following, "TURNS", 2)
    device = await builders.add(connection, "bin-2", municipality="nablus")
    nablus = await builders.token(connection, role=Role.ADMIN, municipality="nablus")
    tripoli = await builders.token(connection, "other", role=Role.ADMIN, municipality="tripoli")
    async with serving(HttpService(http(204), hangs=True)) as hanging, follow():
        for _ in range(4):
            await subscribe(client, wish(hanging), tripoli)
        await subscribe(client, wish(receiver), nablus)
        async with asyncio.timeout(8):  # less than a receiver is waited for
            await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
            await heard(hanging, 1)
            for number in range(1, 4):
                await builders.report(connection, device, at=after(minutes=number), fill_pct=10.0 * number)
                await hears_of(receiver, number / 10)

    assert fills(receiver) == [[("bin-2", 0.1)], [("bin-2", 0.2)], [("bin-2", 0.3)]]
    assert len(hanging.asked) == 1, "half of the turns"


async def test_receivers_that_are_slow_have_turns_of_their_own(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    bin_1: Device,
) -> None:
    monkeypatch.setattr(following, "TURNS", 2)
    monkeypatch.setattr(following, "TURNS_OF_SLOW", 2)
    monkeypatch.setattr(following, "SLOW_S", 0.0)  # whoever was told once
    async with serving(HttpService(http(204))) as slow, follow():
        addresses = [await subscribe(client, wish(slow)) for _ in range(3)]
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        for address in addresses:
            await stands(client, address, timesSent=1)
        slow.hangs = True
        await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)
        await heard(slow, 4)
        await subscribe(client, wish(receiver))
        async with asyncio.timeout(8):
            await builders.report(connection, bin_1, at=after(minutes=3), fill_pct=30.0)
            await hears_of(receiver, 0.3)

    assert len(slow.asked) == 4, "half of the turns of the slow"


async def test_kill_loses_nothing_whether_before_during_or_between(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    address = await subscribe(client, wish(receiver))
    await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
    receiver.hangs = True
    async with follow():
        await heard(receiver, 1)  # and killed before it answers
    receiver.hangs = False
    async with follow():
        await stands(client, address, timesSent=1)

    async def burning() -> bool:
        newest = told(receiver)[-1][0]
        return (newest["fillingLevel"]["value"], newest["status"]["value"]) == (0.2, "burning")

    await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)  # while nobody follows
    await builders.fire(connection, bin_1, rule="bin-fire", at=after(minutes=2))
    async with follow():
        await eventually(burning)
        await builders.report(connection, bin_1, at=after(minutes=3), fill_pct=30.0)
        await hears_of(receiver, 0.3)
    before = len(receiver.asked)
    async with follow():  # the last seconds before it are told again: at least once
        await heard(receiver, before + 1)

    levels = [one["fillingLevel"]["value"] for (one,) in told(receiver)]
    assert levels[:2] == [0.1, 0.1]
    assert [level for level, _ in groupby(levels)] == [0.1, 0.2, 0.3]
    assert levels[-1] == 0.3


async def test_mistake_of_ours_harms_one_subscription_and_is_said(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    bin_1: Device,
) -> None:
    bad = await subscribe(client, wish(receiver))
    plain = endpoint.post

    async def post(client: Any, uri: str, notification: EntityNotification, *more: Any, **named: Any) -> None:
        if bad.endswith(notification.subscription):
            raise KeyError("a mistake")
        await plain(client, uri, notification, *more, **named)

    monkeypatch.setattr(endpoint, "post", post)
    async with follow():
        await subscribe(client, wish(receiver))
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        failed = await stands(client, bad, status="failed")
        await heard(receiver, 1)

    assert failed["statusReason"] == "our mistake; the log has the details"


async def test_outage_of_the_database_is_waited_for(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    address = await subscribe(client, wish(receiver))
    async with follow():
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        await stands(client, address, timesSent=1)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nabd_notify'"
        )
        await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)

        async def newest() -> bool:
            return fills(receiver)[-1] == [("bin-1", 0.2)]

        await eventually(newest)


@pytest.mark.parametrize("how", ["revoked", "deleted", "demoted"])
async def test_subscription_stops_and_says_why_when_who_made_it_may_not_any_more(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    pool: asyncpg.Pool,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
    how: str,
) -> None:
    address = await subscribe(client, wish(receiver))
    owner = await _owner(connection, person=how != "revoked")
    await connection.execute("UPDATE ngsi_subscription SET principal_id = $1", owner)
    async with follow(), serving(HttpService(http(204))) as other:
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        await stands(client, address, timesSent=1)
        if how == "revoked":
            number = await connection.fetchval("SELECT id FROM token WHERE principal_id = $1", owner)
            await revoke_token(connection, number, builders.now(), by=PLATFORM)
        elif how == "deleted":
            await delete_person(connection, "amal", builders.now(), by=PLATFORM)
        else:
            await edit_person(
                connection, "amal", {}, builders.now(), grants=of_texts(["viewer"]), by=PLATFORM
            )
        stopped = await stands(client, address, state="paused")
        await subscribe(client, wish(other))
        await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)
        await heard(other, 1)

    assert stopped["statusReason"].startswith("who made it")
    assert stopped["isActive"] is True
    assert fills(receiver) == [[("bin-1", 0.1)]]


async def _owner(connection: asyncpg.Connection, *, person: bool) -> int:
    """Return the principal of somebody who administers Tripoli."""
    if person:
        new = NewPerson(name="amal", grants=sorted(of_texts(["admin@tripoli"]), key=str))
        await add_person(connection, new, builders.now(), by=PLATFORM)
        return await connection.fetchval("SELECT id FROM person WHERE name = 'amal'")  # type: ignore[no-any-return]
    await builders.token(connection, "owner", role=Role.ADMIN, municipality="tripoli")
    return await connection.fetchval("SELECT principal_id FROM token WHERE name = 'owner'")  # type: ignore[no-any-return]
