"""Who hands a command over: the source that heard the hardware last, once, and while it can."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from typing import get_args
from uuid import UUID, uuid4

import asyncpg
import pytest

from devices.commands import downlinks
from devices.commands.answered import changed_since, expire, get_command, list_commands
from devices.commands.details import (
    CONFIRMED,
    NEVER_HEARD,
    NO_SOURCE,
    NO_UPLINK,
    NOT_TOLD,
    REFUSED,
    SENT,
    SENT_UNCONFIRMED,
    SOURCE_DISABLED,
    SOURCE_REMOVED,
    UNCONFIRMED_EVER,
    UNCONFIRMED_ONCE,
    UNHEARD,
    DownlinkSituation,
    detail_code,
)
from devices.commands.downlinks import Became
from devices.commands.new_command import NewCommand
from devices.commands.queue import UNCONFIRMED, enqueue
from devices.instants import rfc3339, to_datetime
from devices.registry import registration
from devices.registry.editing import retire_device
from devices.registry.hardware import REPLACED, replace_hardware
from devices.registry.registry import Device, get_device
from devices.sources import states
from devices.sources.registration import add_source, edit_source, remove_source
from devices.sources.source import NewSource, Source, Way
from devices.sources.states import Counted
from devices.sources.translation import ALL
from devices.wire.adapters.downlink import Downlink
from store.audit import PLATFORM
from tests.integration.devices.town import BIN, KINDS, SECOND, START, add_town, now

HOUR = 3_600 * SECOND
BYTES = Downlink(port=85, payload=b"\xff\x10\xff", confirmed=False)


@dataclass
class Lorawan:
    """A bin that two sources relay, both of ChirpStack; `first` heard it."""

    connection: asyncpg.Connection
    device: Device
    first: Source
    second: Source
    at: int = START

    def now(self) -> int:
        return self.at

    async def hears(self, source: Source, device: Device | None = None) -> None:
        """Let a source hear hardware."""
        topic = f"application/{source.name}/device/1"
        await downlinks.learn_topic(self.connection, device or self.device, source.id, topic, json=True)

    async def tell(self, *, confirmed: bool = False) -> UUID:
        """Give a command; `confirmed`: the device is asked to confirm it."""
        new = NewCommand(
            id=uuid4(),
            device=self.device,
            name="reboot",
            args={},
            expires_at=self.at + HOUR,
            downlink=replace(BYTES, confirmed=confirmed),
        )
        await enqueue(self.connection, [new], self.now, by=PLATFORM)
        return new.id

    async def take(self, source: Source, *, repeats: bool = True) -> tuple[UUID, str] | None:
        """Let a source take what it is to hand over; its id and topic."""
        due = await downlinks.take(self.connection, source.id, self.now, repeats=repeats)
        return None if due is None else (due.id, due.topic)

    async def due(self) -> set[int]:
        """Return the sources that have something to hand over."""
        return await downlinks.due_at(self.connection, self.now)

    async def stands(self, one: UUID) -> tuple[str, str | None]:
        found = await get_command(self.connection, one)
        return found.status, found.detail

    async def situation(self, one: UUID, *, speed: float = 1.0) -> DownlinkSituation | None:
        alive = states.alive_after(self.at, speed)
        return (await get_command(self.connection, one, alive_after=alive)).situation

    async def says(self, one: UUID, became: Became, why: str = "") -> None:
        """Let the network server that heard the device say what became of a command."""
        source, device = self.first.id, self.device.id
        await downlinks.record_heard(self.connection, source, device, [one], became, self.now, why=why)

    async def edit(self, **changes: object) -> None:
        await edit_source(self.connection, KINDS, "first", changes, ALL, self.now, by=PLATFORM)


@pytest.fixture
async def town(connection: asyncpg.Connection) -> Lorawan:
    await add_town(connection)
    first, second = [
        await add_source(
            connection,
            KINDS,
            NewSource(name=name, municipality="tripoli", format="chirpstack", url="mqtts://a.example"),
            ALL,
            now,
            by=PLATFORM,
        )
        for name in ("first", "second")
    ]
    new = replace(BIN, relays=("first", "second"))
    await registration.add_devices(connection, KINDS, [new], now, by=PLATFORM)
    town = Lorawan(connection, await get_device(connection, BIN.name), first, second)
    await town.hears(first)
    return town


async def test_what_one_source_was_about_to_hand_over_no_other_one_hands_over(town: Lorawan) -> None:
    given = await town.tell()
    assert await town.take(town.first) == (given, "application/first/device/1")
    await town.hears(town.second)
    town.at += 60 * SECOND

    assert await town.due() == set()
    assert await town.take(town.second) is None
    other = await town.tell()
    assert await town.due() == {town.second.id}
    assert await town.take(town.second) == (other, "application/second/device/1")
    await town.hears(town.first)
    assert await town.due() == {town.first.id}
    assert await town.take(town.first) == (given, "application/first/device/1")


async def test_what_nobody_took_is_handed_over_by_whoever_hears_the_device_then(town: Lorawan) -> None:
    given = await town.tell()
    await town.take(town.first)
    await downlinks.put_back(town.connection, given, "nobody hears it", town.now)
    await town.hears(town.second)
    town.at += 60 * SECOND

    assert await town.take(town.second) == (given, "application/second/device/1")


async def test_a_server_is_heard_for_a_while_before_anything_is_handed_to_it_again(town: Lorawan) -> None:
    given = await town.tell()
    await town.take(town.first)
    town.at += HOUR // 2

    await downlinks.let_answers_come(town.connection, town.first.id, town.now)

    assert await town.take(town.first) is None
    town.at += int(UNCONFIRMED / timedelta(microseconds=1))
    assert await town.take(town.first) == (given, "application/first/device/1")
    # What is never handed over again is not now, either.
    once = await town.tell()
    assert await town.take(town.first, repeats=False) == (once, "application/first/device/1")
    await downlinks.let_answers_come(town.connection, town.first.id, town.now)
    town.at += 2 * int(UNCONFIRMED / timedelta(microseconds=1))
    assert (await town.take(town.first) or ("",))[0] != once


async def test_other_hardware_gets_nothing_that_was_meant_for_what_stood_there(town: Lorawan) -> None:
    waiting, taken, delivered = [await town.tell() for _ in range(3)]
    await town.connection.execute("UPDATE command SET due_at = NULL WHERE id <> $1", taken)
    assert await town.take(town.first) == (taken, "application/first/device/1")
    await town.connection.execute("UPDATE command SET status = 'delivered' WHERE id = $1", delivered)
    old = town.device

    town.device = await replace_hardware(
        town.connection, old.name, "SN-2", wire_name="NEW-7", now=town.now, by=PLATFORM
    )

    assert await town.stands(waiting) == ("expired", REPLACED)
    assert await town.stands(taken) == ("expired", REPLACED)
    assert await town.stands(delivered) == ("delivered", None)
    given = await town.tell()
    await town.hears(town.first, old)  # by a bridge that does not know of the new hardware yet
    assert await town.due() == set()
    assert await town.take(town.first) is None
    assert await town.stands(given) == ("queued", UNHEARD)
    await town.hears(town.first)
    assert await town.due() == {town.first.id}
    assert await town.take(town.first) == (given, "application/first/device/1")


@pytest.mark.parametrize(
    "changes",
    [
        {"enabled": False},
        {"way": Way.WEBHOOK, "url": "", "topics": []},
        {"url": "", "topics": ["foreign/tripoli/#"]},
    ],
    ids=["disabled", "webhook", "our own broker"],
)
async def test_what_waits_for_a_source_that_takes_nothing_says_so(
    town: Lorawan, changes: dict[str, object]
) -> None:
    given = await town.tell()
    await town.edit(**changes)

    assert await town.due() == set()
    assert await town.take(town.first) is None
    assert await town.stands(given) == ("queued", NO_SOURCE)


async def heard(town: Lorawan, at: int) -> None:
    """Let a reading of the device come."""
    await town.connection.execute(
        "INSERT INTO latest (device_id, observed_at, received_at, interval_s, quality, measurements)"
        " VALUES ($1, $2, $2, 600, 0, '{}') ON CONFLICT (device_id) DO UPDATE SET received_at = $2",
        town.device.id,
        to_datetime(at),
    )


async def source_says(town: Lorawan, *, connected: bool = True, message: bool = True) -> None:
    """Let the bridge say how it goes with the source."""
    counted = Counted(messages=1, last_message_at=town.at) if message else Counted()
    await states.say(town.connection, town.first.id, counted, town.now, connected=connected, reason="")


async def at_the_server(town: Lorawan, *, confirmed: bool = False) -> UUID:
    """Give a command that the network server takes."""
    given = await town.tell(confirmed=confirmed)
    await town.take(town.first)
    await downlinks.mark_delivered(town.connection, given, town.now)
    return given


async def test_what_lies_at_the_network_server_says_when_it_and_the_device_were_heard_last(
    town: Lorawan,
) -> None:
    await heard(town, START - HOUR)
    await source_says(town)
    given = await at_the_server(town)

    async def situation() -> DownlinkSituation | None:
        return await town.situation(given)

    assert await situation() == DownlinkSituation(
        situation="not_heard_since",
        source="first",
        source_municipality="tripoli",
        since=to_datetime(START),
        source_heard_at=to_datetime(START),
        device_heard_at=to_datetime(START - HOUR),
    )
    await heard(town, START + SECOND)
    assert (found := await situation())
    assert (found.situation, found.device_heard_at) == ("heard_since", to_datetime(START + SECOND))
    await source_says(town, connected=False, message=False)
    assert (found := await situation())
    assert (found.situation, found.source_heard_at) == ("source_away", to_datetime(START))
    await town.edit(enabled=False)
    assert (found := await situation())
    assert found.situation == "source_disabled"
    await remove_source(town.connection, "first", town.now, by=PLATFORM)
    assert (found := await situation())
    assert (found.situation, found.source) == ("source_removed", None)
    await downlinks.record_heard(town.connection, town.second.id, town.device.id, [given], "sent", town.now)
    assert await situation() is None


async def test_what_waits_for_a_source_that_is_away_says_so(town: Lorawan) -> None:
    given = await town.tell()
    await source_says(town, connected=False)

    found = await town.situation(given)

    assert found is not None
    assert (found.situation, found.source) == ("source_away", "first")
    await source_says(town)
    assert await town.situation(given) is None


async def test_a_source_that_nobody_hears_any_more_is_away_though_it_was_connected_last(
    town: Lorawan,
) -> None:
    """As after a crash of the bridge: nobody is left to say that it is not connected."""
    await source_says(town)
    at_server, waiting = await at_the_server(town), await town.tell()
    town.at += 11 * SECOND

    for one in (at_server, waiting):
        found = await town.situation(one)
        assert (found and found.situation) == "source_away"
    alive = states.alive_after(town.at, 1.0)
    listed = await list_commands(town.connection, alive_after=alive)
    changed = await changed_since(town.connection, (to_datetime(START), UUID(int=0)), 9, alive_after=alive)
    for page in (listed, changed):
        assert [one.situation and one.situation.situation for one in page] == ["source_away"] * 2
    # On a clock that runs faster ten seconds are as long as they are to people.
    found = await town.situation(at_server, speed=2.0)
    assert (found and found.situation) == "not_heard_since"
    assert await town.situation(waiting, speed=2.0) is None
    await source_says(town)
    assert await town.situation(waiting) is None


SAID = {"queued": None, "sent": SENT, "unconfirmed": UNCONFIRMED_ONCE}
ENDS = {
    "confirmed": ("succeeded", CONFIRMED),
    "given_up": ("failed", UNCONFIRMED_EVER),
    "failed": ("failed", REFUSED),
}


async def test_what_a_server_says_late_or_again_takes_nothing_back(town: Lorawan) -> None:
    assert {*SAID, *ENDS} == set(get_args(Became))
    told: tuple[Became, ...] = ("queued", "sent", "unconfirmed")
    for order in permutations(told):
        given = await at_the_server(town, confirmed=True)
        for n, became in enumerate(order):
            furthest = max(told.index(one) for one in order[: n + 1])
            town.at += SECOND
            await town.says(given, became)
            assert await town.stands(given) == ("delivered", SAID[told[furthest]])
        since = (await get_command(town.connection, given)).updated_at
        town.at += SECOND
        for became in told:
            await town.says(given, became)
        assert (await get_command(town.connection, given)).updated_at == since
        end: Became
        for end in get_args(Became):
            if end in ENDS:
                one = await at_the_server(town, confirmed=True)
                for became in (order[0], end, *order):
                    await town.says(one, became)
                assert await town.stands(one) == ENDS[end]


async def test_a_server_s_first_word_moves_what_is_not_known_to_have_arrived(town: Lorawan) -> None:
    given = await town.tell()
    await town.take(town.first, repeats=False)
    await town.says(given, "queued")
    assert await town.stands(given) == ("delivered", None)

    plain = await at_the_server(town)
    await town.says(plain, "sent")
    await town.says(plain, "queued")
    assert await town.stands(plain) == ("succeeded", SENT_UNCONFIRMED)


async def test_what_a_server_says_is_not_taken_for_our_own_words(town: Lorawan) -> None:
    for said in (SENT, f"{NO_UPLINK}2026-01-01T00:00:00Z", f"{NO_UPLINK}0001-01-01T00:00:00+14:00"):
        given = await at_the_server(town)
        await town.says(given, "failed", said)

        _, detail = await town.stands(given)
        assert detail is not None
        assert said in detail
        assert detail_code(detail) == (None, None)


async def test_what_the_network_server_had_and_nothing_became_of_expires_with_a_reason(
    town: Lorawan,
) -> None:
    async def expires() -> tuple[str, str | None]:
        given = await at_the_server(town)
        town.at += HOUR
        assert await expire(town.connection, town.now) == 1
        assert await town.situation(given) is None
        return await town.stands(given)

    assert await expires() == ("expired", NEVER_HEARD)
    await heard(town, START + 7 * SECOND)
    status, detail = await expires()
    assert (status, detail) == ("expired", f"{NO_UPLINK}{rfc3339(to_datetime(START + 7 * SECOND))}")
    assert detail_code(detail) == ("no_uplink", to_datetime(START + 7 * SECOND))
    await heard(town, town.at + SECOND)
    assert await expires() == ("expired", NOT_TOLD)
    gone = await at_the_server(town)
    paused = await at_the_server(town)
    said = await at_the_server(town)
    await downlinks.record_heard(
        town.connection, town.first.id, town.device.id, [said], "failed", town.now, why="no gateway"
    )
    waiting = await town.tell()
    await town.edit(enabled=False)
    await town.due()
    await town.connection.execute("UPDATE command SET source_id = 0 WHERE id = $1", gone)
    town.at += HOUR
    assert await expire(town.connection, town.now) == 3
    assert await town.stands(gone) == ("expired", SOURCE_REMOVED)
    assert await town.stands(paused) == ("expired", SOURCE_DISABLED)
    assert await town.stands(said) == ("failed", "no gateway")
    assert await town.stands(waiting) == ("expired", NO_SOURCE)


async def test_a_retired_device_wakes_no_source(town: Lorawan) -> None:
    given = await town.tell()
    await retire_device(town.connection, town.device.name, "stolen", town.now, by=PLATFORM)

    assert await town.due() == set()
    assert await town.take(town.first) is None
    assert await town.stands(given) == ("queued", None)
