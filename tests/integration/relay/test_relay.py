"""A relay between whoever has readings and ingest: told what became of them only once it is committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from devices.relay import Outcome, Relay
from devices.relay import outstanding as numbers
from devices.wire.topics import GATEWAY, Channel, Topic
from tests.faults.proxy import Proxy
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

G1 = Topic("tripoli", GATEWAY, "g1", Channel.TELEMETRY)


@asynccontextmanager
async def relaying(town: Town, port: int | None = None) -> AsyncIterator[Relay]:
    """A running relay of g1, through a port of this machine."""
    relay = Relay(
        G1,
        lambda: aiomqtt.Client(
            town.broker.host,
            town.broker.port if port is None else port,
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=5,
        ),
        now,
    )
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        running.cancel()
        await asyncio.wait([running])


def filled(pct: object, at: int | None = None, device: str = "b9") -> dict[str, object]:
    return {"kind": "bin", "device": device, "fill_pct": pct} | ({} if at is None else {"ts": at})


async def test_every_element_is_answered_with_what_became_of_it(town: Town) -> None:
    await town.start()
    at = now() // 1000
    async with relaying(town) as relay:
        answers = await asyncio.wait_for(
            relay.send(
                [
                    filled(10, at),
                    filled("?", at - 1),
                    filled(10, at),
                    filled(11, at - 2, device="nobody"),
                    {"device": "b9", "refused": "the codec: port 85 is not mine"},
                    filled(12),
                ]
            ),
            20,
        )

    assert answers == [
        Outcome(),
        Outcome(reason="bad_value", pointer="/fill_pct"),
        Outcome(),
        Outcome(reason="unknown_device"),
        Outcome(reason="malformed"),
        Outcome(),
    ]
    assert [row["fill_pct"] for row in await town.readings()] == [10, 12]


async def test_many_senders_share_messages(town: Town) -> None:
    await town.start()
    at = now() // 1000
    async with relaying(town) as relay:
        answers = await asyncio.wait_for(
            asyncio.gather(*(relay.send([filled(i % 100, at - i)]) for i in range(3_000))), 30
        )

    assert all(outcome.settled for (outcome,) in answers)
    sums = await town.received(3_000)
    messages = await town.connection.fetchval("SELECT sum(messages) FROM ledger")
    assert (sums["stored"], sums["duplicate"]) == (3_000, 0)
    assert messages < 300


async def test_nothing_is_answered_before_it_is_committed(town: Town) -> None:
    async with relaying(town) as relay:
        sending = asyncio.create_task(relay.send([filled(10, now() // 1000)]))
        await asyncio.sleep(0.5)
        assert not sending.done()  # nobody listens: the broker has nobody to give it to

        await town.start()
        assert await asyncio.wait_for(sending, 20) == [Outcome()]


async def test_a_reading_whose_answer_is_lost_is_stored_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "RECEIPT_S", 1.0)
    await town.start()
    async with Proxy(town.broker.port) as proxy, relaying(town, proxy.port) as relay:
        assert await asyncio.wait_for(relay.send([filled(1)]), 20) == [Outcome()]
        sending = asyncio.create_task(relay.send([filled(2), filled(3)]))
        await asyncio.sleep(0)
        await eventually(lambda: _stored(town, 3))
        proxy.reset()

        assert await asyncio.wait_for(sending, 30) == [Outcome(), Outcome()]
        assert await asyncio.wait_for(relay.send([filled(4)]), 30) == [Outcome()]

    assert [row["fill_pct"] for row in await town.readings()] == [1, 2, 3, 4]


async def _stored(town: Town, readings: int) -> bool:
    return len(await town.readings()) >= readings


async def test_who_sends_more_than_fits_waits_and_who_gives_up_frees_its_place(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devices.relay.relay.CAPACITY", 5)
    async with relaying(town) as relay:
        patient = [asyncio.create_task(relay.send([filled(i, now() // 1000 - i)])) for i in range(8)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(relay.send([filled(50, now() // 1000)]), 0.3)
        for task in patient[:5]:
            task.cancel()

        await town.start()
        answers = await asyncio.wait_for(asyncio.gather(*patient[5:]), 30)

    assert answers == [[Outcome()]] * 3


async def test_state_says_why_readings_wait(town: Town) -> None:
    async with relaying(town, port=1) as relay:

        async def said() -> str:
            return relay.state.reason if "not connected yet" not in relay.state.reason else ""

        assert await eventually(said)
        assert not relay.state.connected
