"""How a municipality moves from one shard to another without a message lost, in this order.

Both shards are seized: their ingests stand by, the broker keeps what comes. The session of the new shard
subscribes before that of the old one ceases to, so a message goes to both rather than to none; what both have
is a duplicate in the ledger. Then the old one is let go and drains, what rules remember is handed over, and
the new one is let go. Killed anywhere, the same command goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from devices.instants import Now
from devices.kinds import Kinds
from devices.registry import registry
from devices.registry.errors import RegistryError
from devices.registry.registry import Municipality
from devices.wire import Kernel
from ingest.broker.hearing import hearing_of
from ingest.broker.session import BrokerRefused
from ingest.commit import division
from ingest.commit.division import Move
from nabd.broker.source import MessageSource
from rules.live.consumer import LiveRules
from rules.live.handover import RuleCheckpoints, hand_over
from rules.trial.consumer import ShadowRules
from store.audit import Actor
from store.connection import Connection

LOOK_EVERY_S = 0.25


class DrainFailed(RegistryError):
    """The ingest of the shard that is left does not run, or has more to do than it can do in time."""


class BrokerUnavailable(RegistryError):
    """Sessions at the broker could not be prepared; nothing has moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionPlan:
    """What is to move where, and with what. source: as of an ingest, but for the client id."""

    municipalities: Sequence[str]
    to: str
    source: Callable[[], MessageSource]
    kinds: Kinds
    now: Now
    within_s: float


async def divide(
    connection: Connection, plan: DivisionPlan, tell: Callable[[str], None], *, by: Actor
) -> list[Move]:
    """Move municipalities to a shard; return those that had not been there.

    Raises:
        RegistryError: something is not as it must be; the text says what to do.
    """
    to = plan.to
    await division.get_shard(connection, to)
    moves = await division.moving(connection, plan.municipalities, to)
    if not moves:
        return []
    left = sorted({move.from_shard for move in moves})
    for name in (to, *left):
        tell(f"seizing shard {name}")
        await division.seize(connection, name)
    await _subscribe(connection, plan, moves, left)
    await division.begin(connection, moves, to, plan.now, by=by)
    for name in left:
        await _drain(connection, plan, name, tell)
    devices = await division.devices_of(connection, moves)
    tell(f"handing over what rules remember of {len(devices):,} devices")
    async with connection.transaction():
        for name in left:
            await _hand_over(connection, plan, devices, name)
        await division.finish(connection, moves)
    await division.release(connection, to)
    return moves


async def _subscribe(
    connection: Connection, plan: DivisionPlan, moves: Sequence[Move], left: Sequence[str]
) -> None:
    """Let the new shard's session hear what it will own; where none ever ran there is nothing to lose.

    The ingest that is left drops it by itself, when it knows that it is not its own.
    """
    moved = {move.name for move in moves}
    towns: list[Municipality] = [
        replace(town, shard=plan.to) if town.name in moved else town
        for town in await registry.list_municipalities(connection)
    ]
    shards = {shard.name: shard for shard in await division.list_shards(connection)}
    if all(shards[name].alive_at is None for name in left):
        return
    source = plan.source()
    broker = replace(source.broker, client_id=shards[plan.to].client_id, receive_maximum=1)
    deadline = asyncio.get_running_loop().time() + plan.within_s
    while True:
        try:
            opened = await source.open(broker, hearing_of(plan.to, towns), plan.now, Kernel())
        except (OSError, TimeoutError, BrokerRefused) as error:
            # The ingest that was fenced may take its session back once before it notices.
            if asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            raise BrokerUnavailable(
                f"the session of shard {plan.to} could not be prepared: {error}; start the broker, or correct"
                " NABD_BROKER, and say the same again"
            ) from error
        opened.close()
        await opened.closed()
        return


async def _drain(connection: Connection, plan: DivisionPlan, name: str, tell: Callable[[str], None]) -> None:
    """Let go of a shard and wait until its ingest has committed all that the broker held for it."""
    has_run = (await division.get_shard(connection, name)).alive_at is not None
    await division.release(connection, name)
    if not has_run:
        return
    tell(f"waiting until shard {name} has drained")
    deadline = asyncio.get_running_loop().time() + plan.within_s
    while not await division.has_emptied(connection, name):
        if asyncio.get_running_loop().time() >= deadline:
            raise DrainFailed(
                f"shard {name} has not drained within {plan.within_s:.0f} s: see that `nabd ingest` runs"
                f" with NABD_SHARD={name}, then say the same again; until then shard {plan.to} waits, and"
                " the broker keeps its messages"
            )
        await asyncio.sleep(LOOK_EVERY_S)


async def _hand_over(connection: Connection, plan: DivisionPlan, devices: Sequence[int], name: str) -> None:
    kinds = plan.kinds
    pairs: tuple[tuple[RuleCheckpoints, RuleCheckpoints], ...] = (
        (LiveRules(kinds), LiveRules(kinds)),
        (ShadowRules(kinds), ShadowRules(kinds)),
    )
    for left, taker in pairs:
        await left.load(connection, name)
        await taker.load(connection, plan.to)
        await hand_over(connection, devices, left=left, taker=taker, to=plan.to)
