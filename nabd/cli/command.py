"""`nabd command`: tell a device to do something, and wait for its answer.

Checks are in devices.commands.new_command, records in devices.commands.sent; here is the broker connection
of one command.
"""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import uuid4

import aiomqtt
import typer
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.commands.new_command import NewCommand, known_commands, new_command
from devices.commands.sent import SentCommand, expire, get_command, record_response, record_sent
from devices.registry import registry
from devices.wire import channels, topics
from devices.wire.topics import Channel
from nabd.broker import client
from nabd.broker.address import BrokerAddress
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.run import load_settings
from nabd.processes import NotConfigured, broker_of


def command(
    device: Annotated[str, typer.Argument(help="whom to tell")],
    name: Annotated[str, typer.Argument(help="what to do, for example report_now")],
    arg: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="wait until the device has done it")] = False,
    expires: Annotated[str, typer.Option(help="how long it may wait for the device")] = "5m",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Send a command to a device; with --wait exit with 1 unless it succeeds."""
    expires_after = values.duration(expires)
    try:
        broker = broker_of(load_settings())
    except NotConfigured as error:
        output.fail(str(error))

    async def work(opened: OpenDatabase) -> SentCommand:
        told = await registry.get_device(opened.connection, device)
        kind = opened.kinds.get(told.kind)
        args = values.arguments(arg or (), known_commands(kind).get(name))
        new = new_command(
            told, kind, name, args, id=uuid4(), now=opened.now, expires_after_s=expires_after.total_seconds()
        )
        try:
            await _send(opened, broker, new, wait_s=expires_after.total_seconds() if wait else None)
        except aiomqtt.MqttError as error:
            output.fail(f"broker {broker} does not take it: {error}; check NABD_BROKER")
        return await get_command(opened.connection, new.id)

    sent = run(work)
    if as_json:
        output.print_json(sent)
    else:
        detail = f": {sent.detail}" if sent.detail else ""
        output.line(f"{sent.name} to {sent.device} is {sent.status}{detail} ({sent.id})")
    if wait and sent.status != "succeeded":
        raise typer.Exit(1)


async def _send(
    opened: OpenDatabase, broker: BrokerAddress, new: NewCommand, *, wait_s: float | None
) -> None:
    identifier = f"nabd-command-{new.id}"
    async with client.client(broker, identifier=identifier, timeout_s=10) as connected:
        if wait_s is not None:
            await connected.subscribe(str(topics.parse(new.topic).on(Channel.RESPONSE)), qos=1)
        await record_sent(opened.connection, new, opened.now, by=await opened.actor())
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = max(1, (new.expires_at - opened.now()) // 1_000_000)
        await connected.publish(new.topic, new.payload, qos=1, properties=properties)
        if wait_s is not None:
            await _wait(opened, connected, new, wait_s)


async def _wait(opened: OpenDatabase, connected: aiomqtt.Client, new: NewCommand, wait_s: float) -> None:
    """Record the device's answers until the command is settled or its time is over."""
    try:
        async with asyncio.timeout(wait_s):
            async for message in connected.messages:
                if await _settled(opened, new, message.payload):
                    return
    except TimeoutError:
        await expire(opened.connection, opened.now)


async def _settled(opened: OpenDatabase, new: NewCommand, payload: object) -> bool:
    if not isinstance(payload, bytes):
        return False
    try:
        answer = channels.response(payload)
        if answer.id != new.id:
            return False
        await record_response(
            opened.connection,
            new.device.name,
            answer.id,
            answer.status,
            opened.now,
            detail=answer.detail,
            result=answer.result,
        )
    except channels.NotUnderstood as error:
        output.complain(f"{new.device.name} answers what nobody understands: {error}")
        return False
    return (await get_command(opened.connection, new.id)).settled
