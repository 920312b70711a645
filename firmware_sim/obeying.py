"""What a device does when it is told something: commands, configurations, updates; and what it reports.

Knows the wire's words; not how messages travel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from devices.wire.topics import Channel, Topic
from firmware_sim.member import Member
from firmware_sim.physics.model import SECOND, CommandAnswer
from firmware_sim.updating import Downloads, update

if TYPE_CHECKING:
    from firmware_sim.station import StationContext

_SETTLED, _UNSENT = -1, -2
"""In place of the packet of a report: it was taken, or it has not left."""


class ReceivedConfig(msgspec.Struct):
    """What a device is to be set to; kept by the broker."""

    version: int
    set: dict[str, object] = {}


class ReceivedCommand(msgspec.Struct):
    """What a device is asked to do."""

    id: str
    name: str
    args: dict[str, object] = {}
    expires_at: str | float | None = None


class Controls:
    """What one publisher can be told. publish: sends to a topic, returns the packet or None."""

    def __init__(
        self,
        topic: Topic,
        member: Member | None,
        around: StationContext,
        publish: Callable[[str, bytes], int | None],
    ) -> None:
        self._topic = topic
        self._member = member
        self._around = around
        self._publish = publish
        self._updates: dict[str, asyncio.Task[None]] = {}
        self._config_version = 0
        self._refused: dict[str, str] = {}
        self._report_mid = _SETTLED

    def taken(self, mid: int) -> None:
        """Note that the broker has taken a packet."""
        if mid == self._report_mid:
            self._report_mid = _SETTLED

    def report_again(self) -> None:
        """Report once more where nobody has taken it."""
        if self._report_mid != _SETTLED:
            self.report()

    def obey(self, command: ReceivedCommand) -> None:
        """Carry out a command, or begin to."""
        member = self._member
        if _expired(command.expires_at, self._around.now()):
            self._answer(command, CommandAnswer(status="rejected", detail="expired"))
        elif member is None:
            self._answer(command, CommandAnswer(status="rejected", detail="a gateway obeys no command"))
        elif command.name == "update_firmware":
            self._begin_update(command, member)
        elif member.device.electronics.obeys and (wait_s := member.device.electronics.obeys_after_s):
            self._answer(command, CommandAnswer(status="accepted"))
            loop = asyncio.get_running_loop()
            loop.call_later(wait_s / self._around.broker.speed, self._carry_out, command, member)
        else:
            self._carry_out(command, member)

    def _begin_update(self, command: ReceivedCommand, member: Member) -> None:
        if command.id in self._updates:
            return  # it came twice
        downloads = self._around.downloads
        if downloads is None or not member.device.electronics.obeys:
            self._answer(command, CommandAnswer(status="rejected", detail="cannot be updated from afar"))
            return
        self._updates[command.id] = asyncio.create_task(self._update(command, member, downloads))

    async def _update(self, command: ReceivedCommand, member: Member, downloads: Downloads) -> None:
        def say(answer: CommandAnswer) -> None:
            self._answer(command, answer)

        version = await update(member.device.name, member.device.kind, command.args, downloads, say)
        if version is not None:
            member.updated(self._around.now(), version)
            self._around.hurry(member)
            self.report()

    def close(self) -> None:
        """Give up what is still being fetched."""
        for task in self._updates.values():
            task.cancel()

    def _carry_out(self, command: ReceivedCommand, member: Member) -> None:
        answer = member.obey(self._around.now(), command.id, command.name, command.args)
        self._around.hurry(member)
        self._answer(command, answer)

    def _answer(self, command: ReceivedCommand, answer: CommandAnswer) -> None:
        said = {"id": command.id, "status": answer.status}
        more = {"detail": answer.detail} if answer.detail else {}
        result = {"result": dict(answer.result)} if answer.result else {}
        self._publish(str(self._topic.on(Channel.RESPONSE)), msgspec.json.encode({**said, **more, **result}))

    def configure(self, config: ReceivedConfig) -> None:
        """Set the device as it is wanted, and report."""
        member = self._member
        if member is None or config.version == self._config_version:
            return
        self._refused = member.configure(self._around.now(), config.set)
        self._config_version = config.version
        self._around.hurry(member)
        self.report()

    def report(self) -> None:
        """Say what it is set to: whenever it connects, after each change, and until somebody takes it."""
        member = self._member
        if member is not None and member.device.relay is None:
            said = {
                "config": member.configured,
                "refused": self._refused,
                "version": self._config_version,
                "firmware": member.firmware,
            }
            mid = self._publish(str(self._topic.on(Channel.REPORTED)), msgspec.json.encode(said))
            self._report_mid = _UNSENT if mid is None else mid


def _expired(expires_at: str | float | None, now: int) -> bool:
    if expires_at is None:
        return False
    if isinstance(expires_at, str):
        try:
            at = msgspec.convert(expires_at, datetime).timestamp() * SECOND
        except msgspec.ValidationError:
            return True
        return at < now
    scale = 1 if expires_at >= 1e14 else 1_000 if expires_at >= 1e11 else SECOND
    return expires_at * scale < now
