"""What network servers and platforms deliver: with their secret, stored once, answered when committed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

import httpx2
import pytest

from api.routes.incoming import webhooks
from devices.instants import rfc3339, to_datetime
from tests.integration.incoming.conftest import EUI, SECRET, WayIn, open_webhook
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

BEARER = {"Authorization": f"Bearer {SECRET}"}
LEVEL = base64.b64encode(bytes.fromhex("02012f000304d200010bb1")).decode()
"""1,234 mm and 2.993 V, as in the vendor's decoders."""
OTHER = base64.b64encode(bytes.fromhex("02012f000303e800010bb1")).decode()


def heard(counter: int, at: int, data: str = LEVEL, gateway: str = "0016c001f153a14c") -> dict[str, Any]:
    """Return an event `up` of ChirpStack, observed at an instant in microseconds."""
    return {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": rfc3339(to_datetime(at)),
        "deviceInfo": {"devEui": EUI.lower()},
        "devAddr": "00189440",
        "fCnt": counter,
        "fPort": 1,
        "data": data,
        "rxInfo": [{"gatewayId": gateway, "rssi": -80, "snr": 7.5}],
    }


async def deliver(way_in: WayIn, body: Any, event: str = "up", **headers: str) -> httpx2.Response:
    return await way_in.client.post(
        "/api/v1/webhooks/lorawan", params={"event": event}, json=body, headers={**BEARER, **headers}
    )


async def distances(town: Town) -> list[float]:
    return [row["distance_mm"] for row in await town.readings()]


async def test_a_frame_is_stored_once_however_often_and_by_whomever_it_comes(way_in: WayIn) -> None:
    await open_webhook(way_in.town)
    await way_in.town.start()
    at = now()

    first = await deliver(way_in, heard(7, at))
    again = await deliver(way_in, heard(7, at))
    copy = await deliver(way_in, heard(7, at + 48_000_000, gateway="0016c001f153a14d"))
    next_one = await deliver(way_in, heard(8, at - 60_000_000, OTHER))
    joined = await deliver(way_in, {"deviceInfo": {"devEui": EUI}}, "join")
    broken = await deliver(way_in, heard(9, at, base64.b64encode(b"\x07").decode()))
    no_event = await deliver(way_in, heard(10, at), "party")

    stored = {"stored": 1, "rejected": 0, "copies": 0}
    assert first.status_code == 200, first.text
    assert first.json() == stored | {
        "elements": [{"outcome": "stored", "reason": None, "pointer": None, "device": EUI}]
    }
    assert [a.json()["copies"] for a in (again, copy)] == [1, 1]
    assert {k: next_one.json()[k] for k in stored} == stored
    assert joined.json() == {"stored": 0, "rejected": 0, "copies": 0, "elements": []}
    assert [a.json()["elements"][0]["reason"] for a in (broken, no_event)] == ["malformed", "malformed"]
    assert await distances(way_in.town) == [1000, 1234]
    state = await eventually(lambda: _state(way_in, 7))
    assert (state["readings"], state["rejected"], state["copies"], state["connected"]) == (2, 2, 2, True)


async def test_what_is_read_in_part_only_is_stored_and_counted(way_in: WayIn) -> None:
    await open_webhook(way_in.town)
    await way_in.town.start()
    event = {**heard(7, now()), "object": {"Distance": {"value": 1234}, "Battery voltage": {"value": "low"}}}
    del event["data"]

    answer = await deliver(way_in, event)

    assert (answer.json()["stored"], answer.json()["rejected"]) == (1, 0)
    state = await eventually(lambda: _state(way_in, 1))
    assert (state["readings"], state["problems"]) == (1, 1)
    assert state["problem"].startswith(f"{EUI}: Battery voltage.value = 'low'")


async def test_the_things_stack_delivers_by_basic_authentication(way_in: WayIn) -> None:
    await open_webhook(way_in.town, "things_stack")
    await way_in.town.start()
    body = {
        "end_device_ids": {"device_id": "bin-1", "dev_eui": EUI},
        "uplink_message": {
            "f_port": 1,
            "f_cnt": 3,
            "frm_payload": LEVEL,
            "received_at": rfc3339(to_datetime(now())),
        },
    }

    answer = await way_in.client.post("/api/v1/webhooks/lorawan", json=body, auth=("tts", SECRET))

    assert answer.json()["stored"] == 1, answer.text
    assert await distances(way_in.town) == [1234]


async def test_who_does_not_know_the_secret_is_refused_and_counted(way_in: WayIn) -> None:
    await open_webhook(way_in.town)
    body = json.dumps(heard(7, now())).encode()
    made = hmac.new(b"another", body, hashlib.sha256).hexdigest()

    async def post(name: str = "lorawan", **headers: str) -> httpx2.Response:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return await way_in.client.post(
            f"/api/v1/webhooks/{name}", params={"event": "up"}, content=body, headers=named
        )

    answers = [
        await post(),
        await post(Authorization="Bearer another"),
        await post(X_Hub_Signature_256=f"sha256={made}"),
        await post("http", Authorization="Bearer "),
        await post("nothing", Authorization=f"Bearer {SECRET}"),
    ]

    assert [a.status_code for a in answers] == [401] * 5
    assert len({a.json()["detail"] for a in answers}) == 1
    metrics = way_in.app.state.context.metrics.registry
    refused = [
        metrics.get_sample_value("nabd_webhooks_refused_total", {"source": s})
        for s in ("lorawan", "http", "unknown")
    ]
    assert refused == [3, 1, 1]
    state = await eventually(lambda: _state(way_in, 0))
    assert (state["messages"], state["reason"], state["refused_at"] is None) == (0, "", False)
    guesses = [await post(Authorization=f"Bearer {n}") for n in range(12)]
    assert guesses[-1].status_code == 429


async def test_what_is_not_committed_in_time_is_delivered_again_and_stored_once(
    way_in: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is there, then ingest dies before it answers, then everything is delivered again."""
    await open_webhook(way_in.town)
    at = now()
    frames = [heard(n, at - n * 60_000_000) for n in range(20)]
    monkeypatch.setattr(webhooks, "ANSWER_S", 1.0)
    early = await deliver(way_in, frames[0])

    await way_in.town.start()
    monkeypatch.setattr(webhooks, "ANSWER_S", 20.0)
    sending = [asyncio.create_task(deliver(way_in, frame)) for frame in frames]
    await eventually(lambda: distances(way_in.town))
    assert way_in.town.task is not None
    way_in.town.task.cancel()
    await asyncio.wait([way_in.town.task])
    for task in sending[10:]:
        task.cancel()  # these platforms are gone, and come back
    await way_in.town.start()
    answers = await asyncio.wait_for(asyncio.gather(*sending[:10]), 60)
    again = [await asyncio.wait_for(deliver(way_in, frame), 30) for frame in frames]

    assert (early.status_code, early.headers["Retry-After"]) == (503, "30")
    assert [a.json()["stored"] for a in answers] == [1] * 10
    assert all(a.json()["stored"] + a.json()["copies"] == 1 for a in again)
    assert await distances(way_in.town) == [1234] * 20


async def test_a_repeat_that_comes_while_the_first_is_on_its_way_has_its_outcome(
    way_in: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_webhook(way_in.town)
    frame = heard(7, now())
    monkeypatch.setattr(webhooks, "ANSWER_S", 1.0)

    failed = await asyncio.gather(*(deliver(way_in, frame) for _ in range(3)))
    monkeypatch.setattr(webhooks, "ANSWER_S", 20.0)
    sending = [asyncio.create_task(deliver(way_in, frame)) for _ in range(3)]
    await asyncio.sleep(0.5)
    assert not any(task.done() for task in sending)
    await way_in.town.start()
    answers = [answer.json() for answer in await asyncio.gather(*sending)]

    assert [answer.status_code for answer in failed] == [503] * 3
    assert sorted((answer["stored"], answer["copies"]) for answer in answers) == [(0, 1), (0, 1), (1, 0)]
    assert await distances(way_in.town) == [1234]


async def test_frames_are_forgotten_where_there_are_webhooks_only(way_in: WayIn) -> None:
    await open_webhook(way_in.town)
    await way_in.town.start()
    await deliver(way_in, heard(7, now()))
    frames = way_in.town.connection
    assert await frames.fetchval("SELECT array_agg(settled) FROM source_frame") == [True]

    await frames.execute("UPDATE source_frame SET heard_at = heard_at - interval '61 minutes'")
    await frames.execute(
        "INSERT INTO source_frame SELECT source_id, 'B', counter, digest, observed_at, heard_at, FALSE"
        " FROM source_frame"
    )

    async def left() -> bool:
        return list(await frames.fetchval("SELECT array_agg(device) FROM source_frame")) == ["B"]

    await eventually(left)


async def _state(way_in: WayIn, messages: int) -> Any:
    """Return how the source does, once so many messages are counted."""
    return await way_in.town.connection.fetchrow(
        """
        SELECT s.* FROM source_state AS s
        INNER JOIN source ON source.id = s.source_id
        WHERE source.name = 'lorawan' AND s.messages >= $1
        """,
        messages,
    )
