"""Ingest and sweep killed over and over while alerts open and end: each alert begins once and ends once.

The long form kills 300 times. The same readings then go through one ingest that nobody kills.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from devices.kinds.kind import INTERVAL
from nabd.clock import ScaledClock, wall
from nabd.starting import SUPERVISED
from nabd.supervisor import Supervisor, last_lines
from tests.faults import alerts, checker
from tests.faults.plant import Plant, eventually, scaled
from tests.faults.publisher import KIND, SECOND, Fleet, make
from tests.faults.runner import now

KILLS = int(os.environ.get("NABD_FAULTS_KILLS", scaled(4, 300)))
READINGS_PER_S = 200
STEP_US = 60 * SECOND
"""How far apart a device observes: a bin that is emptied stays so for longer than `keep_firing`."""
DAYS_AGO = 30
SPEED = 60.0
"""So fast that a device is missed after two seconds."""
SPEAKS_EVERY_S = 40
"""The interval devices are expected to keep, on the fast clock: less than a second of ours."""
TURN_S = 6.0
"""How long those that speak in turns speak, and are silent: long enough to be missed."""

AT_WORK = {
    "ingest": "SELECT owner FROM shard",
    "sweep": "SELECT pid FROM nabd_holder WHERE name = 'sweep'",
}
"""Who is at work: the owner of the shard, the database session that leads the sweep."""


@dataclass(slots=True, kw_only=True)
class Victim:
    """A `nabd` process that is killed, and started again at once."""

    name: str
    environment: dict[str, str]
    log: Path
    kills: int = 0
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "nabd", self.name,
                stdin=asyncio.subprocess.PIPE, stdout=output, stderr=output,
                env={**os.environ, **self.environment, SUPERVISED: "1"},
            )  # fmt: skip

    async def kill(self) -> None:
        assert self.process is not None
        assert self.process.returncode is None, f"{self.name} ended by itself: {last_lines(self.log)}"
        self.process.kill()
        await self.process.wait()
        self.kills += 1


@dataclass(slots=True)
class Town:
    """Bins that fill, burn and fall over; every fifth speaks in turns only. All are calm in the end."""

    plant: Plant
    fleet: Fleet
    random: Random
    calm: bool = False
    fill: dict[str, float] = field(default_factory=dict)
    seq: dict[str, int] = field(default_factory=dict)

    async def speak(self) -> None:
        """Speak until cancelled."""
        started, said = time.monotonic(), 0
        while True:
            elapsed = time.monotonic() - started
            away = not self.calm and int(elapsed / TURN_S) % 2 == 1
            while said < elapsed * READINGS_PER_S:
                n = said % len(self.plant.devices)
                said += 1
                if not (away and n % 5 == 0):
                    self._observe(n)
            for speaker in self.fleet.speakers:
                speaker.pump()
            await asyncio.sleep(0.02)

    def _observe(self, n: int) -> None:
        device = self.plant.devices[n]
        seq = self.seq[device] = self.seq.get(device, 0) + 1
        fill = self.fill.get(device, 50.0) + self.random.uniform(-2, 8)
        fill = self.fill[device] = 5.0 if fill > 105 or self.calm else fill
        burning, fallen = (not self.calm and self.random.random() < chance for chance in (0.02, 0.3))
        values = {
            "fill_pct": round(min(max(fill, 0.0), 100.0), 2),
            "temperature_c": round((90 if burning else 20) + self.random.uniform(0, 5), 1),
            # For a quarter of an hour at a time; shorter is a collection.
            "tilt_deg": 80.0 if fallen and seq // 30 % 3 == 0 else 2.0,
            "battery_v": round(3.6 + self.random.uniform(0, 0.02), 3),
        }
        self.fleet.push(make(device, self.plant.since + seq * STEP_US, values, boot=1, seq=seq), n)


async def killed(plant: Plant, ingest: Victim, sweep: Victim, random: Random, kills: int) -> None:
    """Kill so many times, ingest more often than the sweep, at any moment of their lives."""
    before: dict[str, object] = {ingest.name: None, sweep.name: None}
    for n in range(kills):
        victim = sweep if n % 4 == 3 else ingest
        # One in five dies while it starts; a few live for some time.
        if n >= 4 and random.random() < 0.2:
            await asyncio.sleep(random.uniform(0, 2))
        else:

            async def at_work(victim: Victim = victim) -> bool:
                return await plant.fetchval(AT_WORK[victim.name]) not in (None, before[victim.name])

            await eventually(at_work, within=60)
            await asyncio.sleep(random.uniform(0, random.choice((0.3, 1.0, 1.0, 4.0))))
        await victim.kill()
        before[victim.name] = await plant.fetchval(AT_WORK[victim.name])
        await victim.start()


@asynccontextmanager
async def running(*victims: Victim) -> AsyncIterator[None]:
    """Start the victims; end what is left of them."""
    try:
        for victim in victims:
            await victim.start()
        yield
    finally:
        for victim in victims:
            if victim.process is not None and victim.process.returncode is None:
                victim.process.kill()
                await victim.process.wait()


@pytest.mark.timeout(120 if KILLS <= 20 else 5400)
async def test_no_alert_is_doubled_or_orphaned_however_often_ingest_and_sweep_are_killed(
    plant: Plant, other_plant: Plant
) -> None:
    started = time.monotonic()
    plant.since = other_plant.since = now() - DAYS_AGO * 86_400 * SECOND
    await plant.execute("UPDATE device SET attributes = jsonb_build_object($1::text, $2::int)",
                        INTERVAL, SPEAKS_EVERY_S)  # fmt: skip
    environment = plant.environment(NABD_CLOCK=str(ScaledClock(wall(), now(), SPEED)))
    ingest, sweep = (
        Victim(name=name, environment=environment, log=plant.directory / f"{name}.log")
        for name in ("ingest", "sweep")
    )
    async with plant.fleet() as fleet, running(ingest, sweep):
        # The broker keeps what is said for an ingest it has met.
        await plant.owned()
        town = Town(plant, fleet, Random(plant.seed))
        speaking = asyncio.create_task(town.speak())
        await killed(plant, ingest, sweep, Random(plant.seed), KILLS)

        async def somebody_was_missed() -> bool:
            return bool(await plant.fetchval("SELECT count(*) FROM alert WHERE rule = 'silent'"))

        await eventually(somebody_was_missed, within=60)
        speaking.cancel()
        await fleet.answered()
        found = await plant.proof([fleet], within=180)
        held = await alerts.held_by_readings(plant.dsn, KIND), await alerts.open_alerts(plant.dsn)
        town.calm = True
        speaking = asyncio.create_task(town.speak())

        async def all_is_well() -> bool:
            return not await plant.fetchval(
                "SELECT count(*) FROM alert WHERE state = 'firing' AND rule <> 'bin-full-soon'"
            )

        await eventually(all_is_well, within=60)
        speaking.cancel()
        await fleet.answered()
        calm = await plant.proof([fleet])
    told = await alerts.stories(plant.dsn)
    expected = await unkilled(other_plant, fleet)
    again = await plant.fetchval("SELECT sum(duplicate) FROM ledger")
    silences = sum(story.rule == "silent" for story in told)
    print(
        f"killed {ingest.kills + sweep.kills} times (ingest {ingest.kills}, sweep {sweep.kills})"
        f" in {time.monotonic() - started:.0f} s: {len(fleet.said)} readings"
        f" ({again} came again after their commit), {len(told)} alerts,"
        f" {silences} of them silences, {len(expected)} transitions caused by readings"
    )

    assert found.holds, checker.summary(found)
    assert calm.holds, checker.summary(calm)
    assert alerts.amiss(told) == []
    assert held[0] == held[1]
    assert expected
    assert await alerts.of_readings(plant.dsn) == expected


async def unkilled(plant: Plant, fleet: Fleet) -> list[alerts.Row]:
    """Let one ingest that lives take what the fleet said; return the transitions that makes."""
    async with plant.fleet(connections=1) as twin, Supervisor(plant.environment()) as supervisor:
        await plant.supervise(supervisor)
        for said in fleet.said:
            twin.push(replace(said, codes=[], tries=0, published_at=0))
        twin.speakers[0].pump()
        await twin.answered(within=600)
        found = await plant.proof([twin], within=600)
    assert found.holds, checker.summary(found)
    return await alerts.of_readings(plant.dsn)


BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = BEGAN + timedelta(hours=1)
SOUND = alerts.Story(
    alert=1, rule="bin-overflow", device="b000", state="resolved", opened_at=BEGAN, resolved_at=ENDED,
    transitions=[(alerts.BEGINNING, BEGAN), (alerts.CHANGE, BEGAN), (alerts.END, ENDED)],
)  # fmt: skip
LATER = replace(SOUND, alert=2, state="firing", opened_at=ENDED, resolved_at=None,
                transitions=[(alerts.BEGINNING, ENDED)])  # fmt: skip


def test_alerts_that_follow_each_other_pass_the_account() -> None:
    assert alerts.amiss([SOUND, LATER, replace(LATER, alert=3, device="b001")]) == []


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ([replace(SOUND, transitions=[])], "0 beginnings"),
        ([replace(SOUND, transitions=[SOUND.transitions[0], *SOUND.transitions])], "2 beginnings"),
        ([replace(SOUND, transitions=SOUND.transitions[::-1])], "does not come first"),
        ([replace(SOUND, transitions=SOUND.transitions[:2])], "resolved with 0 ends"),
        ([replace(SOUND, transitions=[*SOUND.transitions, SOUND.transitions[2]])], "resolved with 2 ends"),
        ([replace(SOUND, state="firing", resolved_at=None)], "firing with 1 ends"),
        ([replace(SOUND, opened_at=ENDED)], "at another time"),
        ([LATER, replace(LATER, alert=3)], "opened while 2 was open"),
        ([SOUND, replace(LATER, opened_at=BEGAN, transitions=[(alerts.BEGINNING, BEGAN)])], "before 1 ended"),
    ],
)
def test_the_account_of_alerts_tells_what_cannot_be(told: list[alerts.Story], what: str) -> None:
    assert any(what in fault for fault in alerts.amiss(told)), alerts.amiss(told)


async def test_an_open_alert_that_no_reading_holds_is_found(plant: Plant) -> None:
    await plant.subscribed()
    async with plant.fleet() as fleet:
        fleet.say(1200)
        await fleet.answered()
    assert (await plant.outlive([fleet])).holds
    held = await alerts.held_by_readings(plant.dsn, KIND)
    assert held
    assert held == await alerts.open_alerts(plant.dsn)

    await plant.execute(
        "INSERT INTO alert (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary,"
        " evidence) SELECT 'bin-fire', 1, id, 'firing', 'critical', $1, $1, '{}', '{}' FROM device LIMIT 1",
        BEGAN,
    )

    assert len(await alerts.open_alerts(plant.dsn) - held) == 1
    assert "0 beginnings" in " ".join(alerts.amiss(await alerts.stories(plant.dsn)))
