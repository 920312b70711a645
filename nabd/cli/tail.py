"""`nabd tail`: what devices publish, as it passes through the broker."""

from __future__ import annotations

import asyncio
from typing import Annotated

import aiomqtt
import typer

from devices.wire.topics import PREFIX, Channel
from nabd import starting
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client
from nabd.cli.output import fail, line, payload_fields, print_json
from nabd.cli.run import load_settings
from nabd.starting import NotConfigured


def tail(
    device: Annotated[str, typer.Argument(help="only this device; + for all")] = "+",
    kind: Annotated[str, typer.Option(help="only this kind")] = "+",
    municipality: Annotated[str, typer.Option(help="only this municipality")] = "+",
    channel: Annotated[str, typer.Option(help=f"one of {', '.join(Channel)}, or + for all")] = "telemetry",
    count: Annotated[int | None, typer.Option("-n", "--count", min=1, help="stop after so many")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """Print messages as they are published, without taking them from anyone. Ctrl-C ends it."""
    if channel not in ("+", *Channel):
        raise typer.BadParameter(f"one of {', '.join(Channel)}, or +", param_hint="--channel")
    for name, level in (("DEVICE", device), ("--kind", kind), ("--municipality", municipality)):
        if set(level) & set("/#") or ("+" in level and level != "+"):
            raise typer.BadParameter(f"{level!r}: write one name, or + for all", param_hint=name)
    try:
        broker = starting.broker_of(load_settings())
    except NotConfigured as error:
        fail(str(error))
    topic = f"{PREFIX}/{municipality}/{kind}/{device}/{channel}"
    try:
        asyncio.run(_tail(broker, topic, count, as_json))
    except aiomqtt.MqttError as error:
        fail(f"broker {broker}: {error}; check NABD_BROKER")


async def _tail(broker: BrokerAddress, topic: str, count: int | None, as_json: bool) -> None:
    seen = 0
    async with client(broker, timeout_s=10) as connection:
        await connection.subscribe(topic)
        async for message in connection.messages:
            payload = bytes(message.payload) if isinstance(message.payload, bytes | bytearray) else b""
            if as_json:
                print_json(
                    {"topic": str(message.topic), "retained": message.retain, **payload_fields(payload)}
                )
            else:
                line(f"{message.topic}  {payload.decode(errors='replace')}")
            seen += 1
            if seen == count:
                return
