"""Readings that people enter while something is away, dies or runs at once: none without its author."""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from api.routes.incoming import answers
from devices.instants import rfc3339, to_datetime
from devices.registry import editing
from nabd.accounts.grants import Account
from nabd.cli import app
from people.roles import Role
from readings.by_hand.expiry import NEVER_STORED, StoredHandReadings
from readings.kept.retention import Retention
from store.audit import PLATFORM
from store.pool import connect
from store.tables import Resolution
from tests import parts
from tests.brokers import Mosquitto
from tests.databases import as_account
from tests.integration.api import builders
from tests.integration.incoming.conftest import WayIn
from tests.integration.incoming.hand import B1, L1, ago, entered, post
from tests.waiting import eventually, now


async def test_without_ingest_nothing_half_is_left(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and the author is kept but told nowhere; sent again it is the one reading, with its author."""
    monkeypatch.setattr(answers, "ANSWER_S", 1.0)
    asked: dict[str, Any] = {"measurements": {"fill_pct": 55}, "observed_at": rfc3339(ago(minutes=1))}

    early = await post(way_in, rima, **asked)

    assert (early.status_code, early.headers["Retry-After"]) == (503, "30")
    assert (await way_in.client.get(B1, headers=rima)).json()["items"] == []
    assert [row["stored_at"] for row in await entered(way_in)] == [None]
    monkeypatch.setattr(answers, "ANSWER_S", 20.0)
    await way_in.town.start()
    assert (await post(way_in, rima, **asked)).status_code == 201
    [row] = await way_in.town.readings()
    [entry] = await entered(way_in)
    assert row["extra"] == {"hand_reading": entry["id"]}
    assert entry["stored_at"] is not None


async def test_who_dies_between_reading_and_answer_leaves_both_or_neither(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API dies before it keeps the receipt: what is stored has its author, and what is not goes."""
    monkeypatch.setattr(answers, "ANSWER_S", 0.5)
    at, lost = rfc3339(ago(minutes=2)), rfc3339(ago(minutes=1))
    await way_in.town.start()

    async def died(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr("readings.by_hand.entries.settle", died)
        with pytest.raises(asyncio.CancelledError):
            await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=at)
    await way_in.town.shut_down()
    assert (await post(way_in, rima, measurements={"fill_pct": 60}, observed_at=lost)).status_code == 503

    rows = await way_in.town.readings()
    assert [row["fill_pct"] for row in rows] == [55]
    listed = (await way_in.client.get(B1, headers=rima)).json()["items"]
    assert [(one["author"], one["measurements"]) for one in listed] == [("rima", {"fill_pct": 55})]
    assert [row["stored_at"] for row in await entered(way_in)] == [None, None]
    connection = await connect(as_account(way_in.town.dsn, Account.SWEEP))
    tomorrow = to_datetime(now()) + timedelta(days=1)
    assert await NEVER_STORED.forget_before(connection, tomorrow, limit=100, now=tomorrow) == 2
    [kept] = await entered(way_in)
    assert (kept["id"], kept["stored_at"]) == (listed[0]["id"], rows[0]["received_at"])
    assert await NEVER_STORED.oldest(connection) is None
    await connection.close()


async def test_while_the_broker_is_away_it_is_to_be_sent_again(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.need_mosquitto()
    broker = way_in.town.broker
    assert isinstance(broker, Mosquitto)
    monkeypatch.setattr(answers, "ANSWER_S", 1.0)
    await way_in.town.start()
    asked: dict[str, Any] = {"measurements": {"fill_pct": 55}, "observed_at": rfc3339(ago(minutes=1))}
    broker.stop()

    away = await post(way_in, rima, **asked)

    assert (away.status_code, away.headers["Retry-After"]) == (503, "30")
    assert (await way_in.client.get(B1, headers=rima)).json()["items"] == []
    broker.start()

    async def stored() -> bool:
        return bool((await post(way_in, rima, **asked)).status_code == 201)

    await eventually(stored)
    [row], [entry] = await way_in.town.readings(), await entered(way_in)
    assert row["extra"] == {"hand_reading": entry["id"]}


async def test_somebody_enters_one_at_a_terminal(way_in: WayIn, monkeypatch: pytest.MonkeyPatch) -> None:
    town = way_in.town
    monkeypatch.setenv("NABD_DATABASE", town.dsn)
    monkeypatch.setenv("NABD_BROKER", f"mqtt://{town.broker.host}:{town.broker.port}")
    await town.start()

    async def nabd(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, ["device", *arguments])

    stored = await nabd("read", "b1", "fill_pct=55", "lid_open=yes", "--at", "2h", "--note", "lid", "--json")
    wrong = await nabd("read", "b1", "fill_pct=155")
    fell = [await nabd("read", "l1", f"energy_kwh={kwh}") for kwh in (900, 3)]
    listed = await nabd("readings-by-hand", "b1", "--json")

    assert stored.exit_code == 0, stored.output
    said = json.loads(stored.output)
    assert said["stored_at"] is not None
    assert (said["device"], said["measurements"]) == ("b1", {"fill_pct": 55, "lid_open": True})
    [row] = await town.readings()
    assert (row["extra"], row["fill_pct"]) == ({"hand_reading": said["id"]}, 55)
    assert (wrong.exit_code, "at most 100 %" in wrong.output) == (1, True)
    assert [one.exit_code for one in fell] == [0, 1]
    assert "--reset" in fell[1].output
    assert json.loads(listed.output) == said


async def test_two_who_send_the_same_at_once_make_one_reading(way_in: WayIn, rima: dict[str, str]) -> None:
    await way_in.town.start()
    asked: dict[str, Any] = {"measurements": {"fill_pct": 55}, "observed_at": rfc3339(ago(minutes=1))}

    found = await asyncio.gather(*(post(way_in, rima, **asked) for _ in range(5)))

    assert {answer.status_code for answer in found} == {201}
    assert len({answer.json()["id"] for answer in found}) == 1
    assert len(await way_in.town.readings()) == 1

    async def settled() -> bool:
        return all(row["stored_at"] for row in await entered(way_in))

    await eventually(settled)


async def test_two_people_at_the_same_instant_are_one_reading_and_one_refusal(
    way_in: WayIn, rima: dict[str, str]
) -> None:
    """Also where readings come in parts."""
    town = way_in.town
    token = await builders.token(town.connection, "omar", role=Role.TECHNICIAN, municipality="tripoli")
    omar = {"Authorization": f"Bearer {token}"}
    merge = {"attributes": {"merge": True}}
    await editing.edit_device(town.connection, builders.KINDS, "b2", merge, now=now, by=PLATFORM)
    await town.start()
    b2 = "/api/v1/devices/b2/hand-readings"
    for path, values in ((B1, ({"fill_pct": 55},) * 2), (b2, ({"fill_pct": 55}, {"temperature_c": 20}))):
        at = rfc3339(ago(minutes=1))

        found = await asyncio.gather(
            *(
                post(way_in, who, path, measurements=said, observed_at=at)
                for who, said in zip((rima, omar), values, strict=True)
            )
        )

        assert sorted(answer.status_code for answer in found) == [201, 409]
        [stored] = [answer.json() for answer in found if answer.status_code == 201]
        listed = (await way_in.client.get(path, headers=rima)).json()["items"]
        assert [(one["id"], one["author"]) for one in listed] == [(stored["id"], stored["author"])]
    assert [len(row["extra"]) for row in await town.readings()] == [1, 1]


async def test_who_dies_after_the_first_of_two_leaves_the_first_its_author(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = way_in.town
    merge = {"attributes": {"merge": True}}
    await editing.edit_device(town.connection, builders.KINDS, "b1", merge, now=now, by=PLATFORM)
    await town.start()
    at = rfc3339(ago(minutes=2))

    async def died(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr("readings.by_hand.entries.settle", died)
        with pytest.raises(asyncio.CancelledError):
            await post(way_in, rima, measurements={"fill_pct": 55}, observed_at=at)
    second = await post(way_in, rima, measurements={"temperature_c": 20}, observed_at=at)

    assert (second.status_code, second.json()["reason"]) == (409, "conflict")
    [listed] = (await way_in.client.get(B1, headers=rima)).json()["items"]
    assert listed["measurements"] == {"fill_pct": 55}
    [row] = await town.readings()
    assert (row["fill_pct"], row["temperature_c"]) == (55, None)
    assert row["extra"] == {"hand_reading": listed["id"]}


async def test_what_is_sent_again_is_as_new_and_has_the_newer_note(
    way_in: WayIn, rima: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Housekeeping must not take the author of what is being committed."""
    monkeypatch.setattr(answers, "ANSWER_S", 0.1)
    asked: dict[str, Any] = {"measurements": {"fill_pct": 55}, "observed_at": rfc3339(ago(minutes=1))}
    await post(way_in, rima, **asked, note="lid")
    await way_in.town.connection.execute("UPDATE hand_reading SET entered_at = '2000-01-01T00:00Z'")

    await post(way_in, rima, **asked, note="lid and lock")
    await post(way_in, rima, **asked)

    connection = await connect(as_account(way_in.town.dsn, Account.SWEEP))
    yesterday = to_datetime(now()) - timedelta(days=1)
    assert await NEVER_STORED.forget_before(connection, yesterday, limit=100, now=yesterday) == 0
    await connection.close()
    [entry] = await entered(way_in)
    assert entry["note"] == "lid and lock"


async def test_who_entered_it_goes_with_the_readings_of_its_kind(way_in: WayIn, rima: dict[str, str]) -> None:
    await way_in.town.start()
    for path, measurements in ((B1, {"fill_pct": 55}), (L1, {"energy_kwh": 900})):
        for days in (20, 1):
            at = rfc3339(ago(days=days))
            stored = await post(way_in, rima, path, measurements=measurements, observed_at=at)
            assert stored.status_code == 201
    day = timedelta(days=1)
    expiring = StoredHandReadings(kept=Retention(of_kinds={"bin": {Resolution.READING: 10 * day}}))
    connection = await connect(as_account(way_in.town.dsn, Account.SWEEP))
    present = to_datetime(now())
    oldest = await expiring.oldest(connection)
    assert oldest
    assert oldest < present - 19 * day

    gone = await expiring.forget_before(connection, present - 90 * day, limit=100, now=present)

    assert (gone, len(await entered(way_in))) == (1, 3)
    [left] = (await way_in.client.get(B1, headers=rima)).json()["items"]
    assert left["observed_at"] > rfc3339(present - 10 * day)
    await connection.close()


async def test_many_long_texts_are_kept(way_in: WayIn, rima: dict[str, str]) -> None:
    """They are longer than a row of an index may be."""
    texts = {f"text_{i}": secrets.token_hex(32) for i in range(100)}
    keep = (
        "INSERT INTO hand_reading (device_id, observed_at, author_id, entered_at, measurements)"
        " SELECT d.id, $1, p.id, $1, $2 FROM device AS d, principal AS p WHERE d.name = 'b1' LIMIT 1"
    )

    await way_in.town.connection.execute(keep, ago(), texts)

    [entry] = await entered(way_in)
    assert entry["measurements"] == texts
