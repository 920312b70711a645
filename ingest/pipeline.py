"""Turns an intake into a committed batch, through outages of the database.

Decides, commits, and classifies failures: wait and repeat, use the careful path, or reject one message.
Returns only once everything is committed. Must not know the broker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from devices.instants import to_datetime
from devices.registry import registration, registry
from devices.registry.errors import AlreadyExists
from devices.registry.registration import NewDevice
from devices.wire import Decoder, Reason, Rejected, Splitter
from ingest import collector
from ingest.broker.intake import Intake
from ingest.commit import commit, shard
from ingest.commit.commit import BatchContext
from ingest.commit.settled import Settled
from ingest.commit.shard import CommitOutcome
from ingest.decide.batch import Batch, Refused, decide, unregistered
from ingest.decide.directory import Directory
from store.audit import PLATFORM
from store.connection import Connection
from store.failures import Failure, classify, is_outage

log = structlog.get_logger(__name__)

T = TypeVar("T")

CAREFUL_BATCHES = 20
"""So many batches in a row must be free of unexpected duplicates before plain COPY is used again."""
TRIES = 3
"""How often an unclassified failure is tried again before the batch is split."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ahead:
    """An intake that is decided ahead, and the directory that this is done with."""

    intake: Intake
    directory: Directory
    deciding: asyncio.Future[Batch | None]


class Pipeline:
    """Commits one batch after the other for the owner of a shard.

    `reconnect` opens a fresh connection to the database; it may take as long as the outage does.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        context: BatchContext,
        decoders: Mapping[str, Decoder],
        splitter: Splitter | None = None,
        reconnect: Callable[[], Awaitable[Connection]],
    ) -> None:
        self.connection = connection
        self.context = context
        self._decoders = decoders
        self._splitter = splitter or Splitter()
        self._reconnect = reconnect
        self._careful = 0
        self._ahead: _Ahead | None = None

    async def process(
        self,
        intake: Intake,
        *,
        caught_up: bool,
        flush_latest: bool,
        following: Intake | None = None,
        tries: int = 0,
    ) -> Settled:
        """Commit an intake; return what became of its readings.

        Args:
            intake: the messages.
            caught_up: whether the broker has nothing more for us.
            flush_latest: whether newest values are written along.
            following: what will be processed next: it is decided while this one commits.
            tries: how often it has failed already with an unclassified failure.

        Raises:
            shard.Fenced: the shard is not ours any more; nothing was committed.
        """
        stale = False
        blamed: Exception | None = None
        while True:
            try:
                if stale:
                    await self.reload()
                    stale = False
                batch = await self._decide(intake) if blamed is None else self._blame(intake, blamed)
                self.context.step("decided")
                settled = await self._commit(batch, caught_up, flush_latest, following)
            except commit.GenerationMoved:
                commit.rolled_back(self.context)
                stale = True
            except shard.Fenced:
                commit.rolled_back(self.context)
                raise
            except Exception as error:  # classified below; ingest must go on
                failure = classify(error)
                if failure is Failure.TRANSIENT:
                    if await self._outlast(error) is CommitOutcome.COMMITTED:
                        assert self.context.prepared is not None
                        return self._adopt(self.context.prepared, flush_latest)
                    commit.rolled_back(self.context)
                    continue
                commit.rolled_back(self.context)
                if failure is Failure.DATA and not self._careful:
                    self._careful = CAREFUL_BATCHES
                    continue
                if blamed is not None:
                    raise  # not even its rejection can be stored
                tries += 1
                log.exception("batch failed", tries=tries, messages=len(intake))
                if tries < TRIES:
                    await asyncio.sleep(FIRST_PAUSE_S)
                elif len(intake) > 1:
                    return await self._take_apart(intake, caught_up)
                else:
                    blamed = error
            else:
                return self._adopt(settled, flush_latest)

    async def _decide(self, intake: Intake) -> Batch:
        if batch := await self._decided_ahead(intake):
            return batch
        await self._register(intake)
        return self._decided(intake, self.context.directory)

    def _decided(self, intake: Intake, directory: Directory) -> Batch:
        context = self.context
        return decide(intake, directory, self._decoders, context.offsets, context.retention, self._splitter)

    def _look_ahead(self, following: Intake | None) -> None:
        """Decide the next intake in a thread, while the database works."""
        directory = self.context.directory
        begun = self._ahead is not None and self._ahead.intake is following
        if following is None or begun or directory.registers_unknown:
            return

        def deciding() -> Batch | None:
            try:
                batch = self._decided(following, directory)
            except Exception:  # raised again, and classified, when the intake is processed
                return None
            self.context.step("decided ahead")
            return batch

        future = asyncio.get_running_loop().run_in_executor(None, deciding)
        self._ahead = _Ahead(intake=following, directory=directory, deciding=future)

    async def _decided_ahead(self, intake: Intake) -> Batch | None:
        """Return the batch that was decided ahead, if the registry is still the same."""
        ahead = self._ahead
        if ahead is None or ahead.intake is not intake:
            return None
        self._ahead = None
        batch = await ahead.deciding
        return batch if ahead.directory is self.context.directory else None

    async def _commit(
        self, batch: Batch, caught_up: bool, flush_latest: bool, following: Intake | None
    ) -> Settled:
        return await commit.commit(
            self.connection,
            self.context,
            batch,
            careful=self._careful > 0,
            caught_up=caught_up,
            flush_latest=flush_latest,
            fenced=partial(self._look_ahead, following),
        )

    def _adopt(self, settled: Settled, flush_latest: bool) -> Settled:
        if self._careful:
            self._careful = CAREFUL_BATCHES if settled.surprises else self._careful - 1
        if settled.learnt:
            self._ahead = None  # decided without these clock offsets
        commit.committed(self.context, settled, flushed_latest=flush_latest)
        return settled

    async def _register(self, intake: Intake) -> None:
        """Register devices with their first message, where the municipality allows it."""
        directory = self.context.directory
        if not directory.registers_unknown:
            return
        unknown = unregistered(intake, directory)
        if not unknown:
            return
        new = [
            NewDevice(
                name=name,
                kind=newcomer.topic.kind,
                municipality=newcomer.topic.municipality,
                installed_at=to_datetime(newcomer.at),
            )
            for name, newcomer in unknown.items()
        ]
        try:
            await registration.add_devices(
                self.connection, directory.kinds, new, self.context.now, by=PLATFORM
            )
        except AlreadyExists:
            pass  # registered meanwhile by others; the reload below has it
        else:
            log.info("registered devices that spoke for the first time", devices=[n.name for n in new][:20])
        await self.reload()

    async def reload(self) -> None:
        """Load the present registry and rules."""
        context = self.context
        async with self.connection.transaction(isolation="repeatable_read", readonly=True):
            context.shard.generation = await shard.generation(self.connection, context.shard)
            before = context.directory
            present = await registry.load(self.connection)
            context.directory = Directory(present, before.kinds)
            for device_id in context.directory.replaced_since(before):
                context.offsets.forget(device_id)
            for consumer in context.consumers:
                await consumer.reload(self.connection, present)
        collector.freeze()

    async def outlasting(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work` returns, repeating it for as long as the database is away.

        Raises:
            shard.Fenced: the shard is not ours any more.
        """
        while True:
            try:
                return await work()
            except shard.Fenced:
                raise
            except Exception as error:  # only an outage is handled here
                if not is_outage(error):
                    raise
                await self._outlast(error)

    async def _outlast(self, error: Exception) -> CommitOutcome:
        """Wait until the database is back and the shard still ours; return whether the batch has committed.

        Raises:
            shard.Fenced: another process has taken the shard over.
        """
        attempted = self.context.shard.batch + 1
        log.warning("database is away; the broker holds what comes", error=str(error) or repr(error))
        pause = FIRST_PAUSE_S
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            try:
                await self._renew()
                outcome = await shard.resume(self.connection, self.context.shard, attempted)
            except shard.Fenced:
                raise
            except Exception as again:  # only an outage is handled here
                if not is_outage(again):
                    raise
                continue
            log.warning("database is back", batch=attempted, outcome=outcome.name.lower())
            return outcome

    async def _renew(self) -> None:
        # After a statement that timed out the state of the connection is unknown: it is never used again.
        self.connection.terminate()
        self.connection = await self._reconnect()

    async def _take_apart(self, intake: Intake, caught_up: bool) -> Settled:
        """Commit an intake in halves, each tried once more, until the failing message is alone."""
        half = len(intake) // 2
        parts = [
            await self.process(part, caught_up=caught_up, flush_latest=False, tries=TRIES - 1)
            for part in (intake.part(0, half), intake.part(half, len(intake)))
        ]
        return parts[0].joined(parts[1])

    def _blame(self, intake: Intake, error: Exception) -> Batch:
        """Return the batch that rejects a message which fails alone too."""
        log.error("message rejected as internal", topic=intake.topics[0], error=repr(error))
        batch = Batch(intake=intake, sources=self.context.directory.sources(intake.topics))
        rejected = Rejected(message=0, reason=Reason.INTERNAL, detail=repr(error), payload=intake.payloads[0])
        batch.refused.append(Refused(device=batch.sources[0].name, rejected=rejected))
        return batch
