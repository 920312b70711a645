"""Commands to devices that a network server speaks for: what they are as bytes, or why they cannot be given.

Whoever is told something by its network server has no session at our broker. Must not know MQTT or HTTP.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import replace

from devices.codecs.codec import CodecFailed, CodecsAway
from devices.codecs.pool import Codecs
from devices.codecs.profiled import encoded
from devices.commands.new_command import NewCommand, patiently
from devices.commands.queue import relayed_alone
from devices.instants import Now
from devices.profiles import Profiles
from devices.registry.errors import Conflict
from devices.registry.registry import Device
from devices.sources.listing import list_sources
from devices.sources.source import Source, Way
from devices.sources.translation import profile_name
from devices.wire.adapters.downlink import Downlink, NotEncoded
from devices.wire.adapters.formats.downlinks import FORMATS
from devices.wire.adapters.profile.downlinks import ProfileDownlink
from store.connection import Connection

AT_ONCE = 200
"""So many commands are made in one go before others have their turn."""


async def prepared(
    connection: Connection, command: NewCommand, profiles: Profiles, now: Now, *, patient: bool = False
) -> NewCommand:
    """Return a command as its device takes it.

    Args:
        patient: nobody said how long it may wait.

    Raises:
        Conflict: it cannot be said to the device; the text names what helps.
    """
    found, refused = await as_downlinks(connection, [command], profiles, now)
    for reason in refused.values():
        raise reason
    (made,) = found
    return patiently(made, now) if patient else made


async def as_downlinks(
    connection: Connection, commands: Sequence[NewCommand], profiles: Profiles, now: Now
) -> tuple[list[NewCommand], dict[int, Conflict]]:
    """Return commands as their devices take them, and by device why others cannot be said to theirs."""
    silent = await relayed_alone(connection, [one.device for one in commands], now)
    if not silent:
        return list(commands), {}
    sources = await list_sources(connection)
    made: list[NewCommand] = []
    refused: dict[int, Conflict] = {}
    async with Codecs() as codecs:
        encoder = _Encoder(profiles, codecs)
        for number, one in enumerate(commands):
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            try:
                source = _source_of(one.device, sources) if one.device.id in silent else None
                made.append(
                    one if source is None else replace(one, downlink=await encoder.encode(one, source))
                )
            except Conflict as reason:
                refused[one.device.id] = reason
    return made, refused


class _Encoder:
    """Makes bytes of commands; of what many devices are told alike, once, whether it can be said or not."""

    def __init__(self, profiles: Profiles, codecs: Codecs) -> None:
        self._profiles = profiles
        self._codecs = codecs
        self._made: dict[tuple[str, str, str], Downlink | Conflict] = {}

    async def encode(self, command: NewCommand, source: Source) -> Downlink:
        """Return what a command is for its device, as a source's.

        Raises:
            Conflict: it cannot be said.
        """
        device = command.device.name
        profile = self._profiles.get(name := profile_name(source, command.device))
        if profile is None:
            raise Conflict(
                f"no profile says how device {device!r} is told anything: `nabd source edit {source.name}"
                f" --profile NAME` names one for the source, the attribute `profile` one for a device",
                key="conflict.downlink_no_profile", device=device, source=source.name,
            )  # fmt: skip
        said = profile.downlinks.get(command.name)
        if said is None:
            known = ", ".join(profile.downlinks) or "–"
            raise Conflict(
                f"profile {name} does not say how {command.name} is encoded (it says: {known}); a profile of"
                f" your own with [downlinks.{command.name}] does",
                key="conflict.downlink_no_command", profile=name, command=command.name, known=known,
            )  # fmt: skip
        key = name, command.name, json.dumps(command.args, sort_keys=True)
        if (made := self._made.get(key)) is None:
            made = self._made[key] = await self._encode(name, said, command)
        if isinstance(made, Conflict):
            raise made.with_traceback(None)
        return made

    async def _encode(self, profile: str, said: ProfileDownlink, command: NewCommand) -> Downlink | Conflict:
        try:
            return await encoded(self._codecs, self._profiles.codec(profile), said, command.args)
        except (NotEncoded, CodecFailed, CodecsAway) as error:
            return Conflict(
                f"profile {profile} cannot encode this {command.name}: {error}",
                key="conflict.downlink_not_encoded", profile=profile, command=command.name, why=str(error),
            )  # fmt: skip


def _source_of(device: Device, sources: Collection[Source]) -> Source | None:
    """Return the network server that speaks for a device; None: nobody that takes anything for it does.

    Raises:
        Conflict: one speaks for it, and cannot be told anything.
    """
    servers = [one for one in sources if one.gateway in device.relays and one.format in FORMATS]
    able = [one for one in servers if one.way is Way.MQTT and one.url and one.enabled]
    if able or not servers:
        return able[0] if able else None
    source = servers[0]
    told = {"device": device.name, "source": source.name}
    if source.way is Way.WEBHOOK:
        raise Conflict(
            f"source {source.name!r} posts to us, and takes nothing for device {device.name!r}: add a source"
            f" of the network server's broker (`--url mqtts://…`), and its gateway to the device's relays",
            key="conflict.downlink_webhook", **told,
        )  # fmt: skip
    if not source.url:
        raise Conflict(
            f"source {source.name!r} is heard at our own broker, and takes nothing for device"
            f" {device.name!r}: give the source the `url` of its network server's broker",
            key="conflict.downlink_own_broker", **told,
        )  # fmt: skip
    raise Conflict(
        f"source {source.name!r} is disabled, so device {device.name!r} hears nothing: enable it first",
        key="conflict.downlink_disabled", **told,
    )  # fmt: skip
