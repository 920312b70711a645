"""What would become of a source's messages, for people who set one up: nothing is stored or acknowledged."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from devices import kinds, profiles
from devices.codecs.pool import Codecs
from devices.instants import Now
from devices.registry.registry import load
from devices.sources.frames import Frames
from devices.sources.listing import get_source, secret_of
from devices.sources.source import Way
from devices.sources.translation import Translator, TranslatorMeans
from devices.wire import raw
from nabd.bridge.upstream import connected
from nabd.channels import source_targets
from nabd.settings import Settings
from nabd.starting import NotConfigured, broker_of
from store.connection import Connection

MOST = 100
"""Messages that are shown at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One message, and what would become of it.

    problems: what could not be read beside that. unread: of a stream what is left alone, how often by name.
    """

    topic: str
    bytes: int
    elements: list[dict[str, object]]
    events: list[dict[str, Any]]
    problems: list[str]
    unread: dict[str, int]


async def attempt(
    connection: Connection,
    settings: Settings,
    name: str,
    now: Now,
    seconds: float,
    sample: tuple[str, bytes | None] = ("", None),
) -> list[Tried]:
    """Return what would become of a sample (topic, payload), or of what a source says within some seconds.

    Raises:
        NotFound: there is no such source.
        NotConfigured: it is a webhook, and there is no sample.
        FormatAway: what reads its format is not installed.
        aiomqtt.MqttError, SubscriptionRefused, OSError: it cannot be heard.
    """
    source = await get_source(connection, name)
    declared = kinds.load(settings.kinds_dir)
    known = profiles.load(declared, settings.profiles_dir)
    devices = {one.wire: one for one in (await load(connection)).devices.values()}
    found: list[Tried] = []
    async with Codecs() as codecs:
        around = TranslatorMeans(profiles=lambda: known, codecs=codecs, device=devices.get)
        translator = Translator(source, around, Frames({}, window=0))

        async def take(topic: str, payload: bytes) -> None:
            made = await translator.translate(topic, payload, now())
            translator.end(made, {}, now())
            shown = [{k: v for k, v in one.items() if k != raw.KEY} for one in made.elements]
            events = [asdict(event) for event in made.events]
            found.append(
                Tried(
                    topic=topic,
                    bytes=len(payload),
                    elements=shown,
                    events=events,
                    problems=list(made.problems.values()),
                    unread=dict(made.unread),
                )
            )

        topic, payload = sample
        if payload is not None:
            await take(topic, payload)
            return found
        if source.way is Way.WEBHOOK:
            raise NotConfigured("a webhook is posted to us: give a message by --sample FILE")
        async with connected(
            source,
            await secret_of(connection, source),
            broker_of(settings),
            targets=source_targets(settings),
            lasting=False,
        ) as one:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for message in one.messages():
                        await take(message.topic, message.payload)
                        if len(found) >= MOST:
                            break
    return found
