"""Readings that a device posts: answered once committed, and stored once whatever happens between."""

from __future__ import annotations

import asyncio

import cbor2
import pytest

from api.routes.incoming import answers
from tests.integration.incoming.conftest import WayIn
from tests.waiting import eventually, now

STORED = {"outcome": "stored", "reason": None, "pointer": None}


def rejected(reason: str, pointer: str) -> dict[str, str]:
    return {"outcome": "rejected", "reason": reason, "pointer": pointer}


async def test_each_element_is_answered_with_what_became_of_it(way_in: WayIn) -> None:
    await way_in.town.start()
    at = now() // 1000
    body = [
        {"ts": at, "fill_pct": 10},
        {"ts": at - 1000, "fill_pct": "half"},
        {"ts": at, "fill_pct": 10},
        {"ts": "yesterday", "fill_pct": 11},
        "no object",
        {"ts": at - 2000, "fill_pct": 12, "kind": "light", "device": "b2", "seq": 7, "colour": "green"},
    ]

    answer = await way_in.client.post("/api/v1/telemetry", json=body, auth=way_in.auth())

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "stored": 3,
        "rejected": 3,
        "elements": [
            STORED,
            rejected("bad_value", "/1/fill_pct"),
            STORED,
            rejected("bad_time", "/3/ts"),
            rejected("malformed", "/4"),
            STORED,
        ],
    }
    assert [(row["name"], row["fill_pct"]) for row in await way_in.town.readings()] == [
        ("b1", 12),
        ("b1", 10),
    ]
    sums = await way_in.town.received(6)
    assert (sums["stored"], sums["duplicate"], sums["rejected"]) == (2, 1, 3)


async def test_a_pack_of_senml_is_taken_in_both_encodings(way_in: WayIn) -> None:
    await way_in.town.start()
    seconds = now() // 1_000_000
    text = [{"bn": "urn:dev:mac:0024befffe804ff1:", "bt": seconds, "n": "fill_pct", "u": "%", "v": 40}]
    binary = cbor2.dumps([{-3: seconds - 60, 0: "fill_pct", 2: 30}, {0: "temperature_c", 2: 21.5}])

    first = await way_in.client.post(
        "/api/v1/telemetry",
        json=text,
        headers={"Content-Type": "application/senml+json"},
        auth=way_in.auth(),
    )
    second = await way_in.client.post(
        "/api/v1/telemetry",
        content=binary,
        headers={"Content-Type": "application/senml+cbor"},
        auth=way_in.auth(),
    )

    assert (first.json()["elements"], second.json()["elements"]) == ([STORED], [STORED])
    rows = await way_in.town.readings()
    assert [(row["fill_pct"], row["temperature_c"]) for row in rows] == [(30, 21.5), (40, None)]


async def test_a_gateway_posts_of_the_devices_behind_it(way_in: WayIn) -> None:
    await way_in.town.start()
    at = now() // 1000
    body = [
        {"kind": "bin", "device": "b9", "ts": at, "fill_pct": 70},
        {"kind": "bin", "device": "b1", "ts": at, "fill_pct": 71},
        {"fill_pct": 72},
    ]

    answer = await way_in.client.post("/api/v1/telemetry", json=body, auth=way_in.auth("g1"))

    assert answer.json()["elements"] == [
        STORED,
        rejected("not_your_device", "/1"),
        rejected("malformed", "/2"),
    ]


async def test_who_shows_no_password_of_a_device_is_refused(way_in: WayIn) -> None:
    post = way_in.client.post
    one = {"fill_pct": 1}

    nobody = await post("/api/v1/telemetry", json=one)
    wrong = await post("/api/v1/telemetry", json=one, auth=("b1", "wrong"))
    person = await post("/api/v1/telemetry", json=one, headers={"Authorization": "Bearer some-token"})
    alone = await post("/api/v1/telemetry", json=one, auth=way_in.auth("b2"))
    guesses = [await post("/api/v1/telemetry", json=one, auth=("b3", f"guess {n}")) for n in range(11)]

    assert [a.status_code for a in (nobody, wrong, person, alone)] == [401, 401, 401, 409]
    assert nobody.headers["WWW-Authenticate"].startswith("Basic")
    assert "nabd device edit b2 --relay http" in alone.json()["detail"]
    assert guesses[-1].status_code == 429
    assert int(guesses[-1].headers["Retry-After"]) > 0


BAD_BODIES = [
    (b"", "application/json", 400, "Expecting value"),
    (b"[]", "application/json", 400, "an array of 0 elements, expected 1 to 1000"),
    (b"5", "application/json", 400, "expected an object or an array of objects"),
    (b"[" * 70_000, "application/json", 413, "at most 65,536"),
    (b"{}", "text/csv", 415, "'text/csv' is not read here"),
    (b"\x9f", "application/senml+cbor", 400, "not CBOR"),
    (b'[{"n":"x:a","v":1},{"n":"y:a","v":1}]', "application/senml+json", 400, "of several devices"),
    (b"[" + b" " * 300_000 + b"]", "application/json", 413, "at most 262144 bytes"),
]


async def test_a_body_that_is_not_of_its_format_is_refused(way_in: WayIn) -> None:
    for body, media_type, status, said in BAD_BODIES:
        answer = await way_in.client.post(
            "/api/v1/telemetry", content=body, headers={"Content-Type": media_type}, auth=way_in.auth()
        )

        assert answer.status_code == status, said
        assert said in answer.json()["detail"]


async def test_nothing_is_answered_before_it_is_committed(
    way_in: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "ANSWER_S", 1.0)
    body = {"ts": now() // 1000, "fill_pct": 10}

    early = await way_in.client.post("/api/v1/telemetry", json=body, auth=way_in.auth())

    assert early.status_code == 503
    assert early.headers["Retry-After"] == "30"
    assert "nobody listens" in early.json()["detail"]
    monkeypatch.setattr(answers, "ANSWER_S", 20.0)
    asking = asyncio.create_task(way_in.client.post("/api/v1/telemetry", json=body, auth=way_in.auth()))
    await way_in.town.start()
    assert (await asking).json()["elements"] == [STORED]
    assert len(await way_in.town.readings()) == 1


async def test_what_is_posted_again_after_a_kill_is_stored_once(way_in: WayIn) -> None:
    """Ingest dies in the middle, the caller hears nothing in time and sends everything again."""
    at = now() // 1000
    bodies = [[{"ts": at - 1000 * (10 * i + n), "fill_pct": i} for n in range(10)] for i in range(10)]

    async def post(body: object) -> object:
        answer = await way_in.client.post("/api/v1/telemetry", json=body, auth=way_in.auth())
        return answer.json()["stored"]

    await way_in.town.start()
    first = [asyncio.create_task(post(body)) for body in bodies]
    await eventually(lambda: _some(way_in))
    assert way_in.town.task is not None
    way_in.town.task.cancel()  # no goodbye to broker or database
    await asyncio.wait([way_in.town.task])
    for task in first[5:]:
        task.cancel()  # these callers are gone
    await way_in.town.start()

    assert await asyncio.wait_for(asyncio.gather(*first[:5]), 60) == [10] * 5
    assert await asyncio.wait_for(asyncio.gather(*(post(body) for body in bodies)), 60) == [10] * 10
    rows = await way_in.town.readings()
    assert len(rows) == len({row["observed_at"] for row in rows}) == 100


async def _some(way_in: WayIn) -> bool:
    return bool(await way_in.town.readings())


@pytest.mark.parametrize(
    ("media_type", "size", "status"),
    [
        ("application/json", 65_536, 503),
        ("application/json", 65_537, 413),
        ("application/senml+json", 65_537, 413),
        ("application/json", 262_145, 413),
    ],
)
async def test_a_body_of_more_than_a_message_holds_is_too_large(
    way_in: WayIn, monkeypatch: pytest.MonkeyPatch, media_type: str, size: int, status: int
) -> None:
    """At the limit it is taken, and waits for ingest, which does not run here."""
    monkeypatch.setattr(answers, "ANSWER_S", 0.2)
    body = b'{"fill_pct": 1}'.ljust(size)

    answer = await way_in.client.post(
        "/api/v1/telemetry", content=body, headers={"Content-Type": media_type}, auth=way_in.auth()
    )

    assert answer.status_code == status, answer.text
