"""Open alerts as retained topics, for Home Assistant, Node-RED and whatever else listens at the broker.

`<prefix>/<municipality>/<alert>` holds an open alert as JSON, and nothing once it has ended. What happens to
a work order is published at `<prefix>/<municipality>/orders/<order>`, not retained. Must not know the
broker's address.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack

import aiomqtt
import msgspec

from notify.channels.webhook import alert_of, work_of
from notify.message import AlertNews, NotificationMessage, Occasion, Undelivered

TIMEOUT_S = 10.0
PREFIX = re.compile(r"[^\s+#/$][^\s+#]{0,199}")


class MqttChannel:
    """Publishes alerts over one connection, which is made when it is needed."""

    name = "mqtt"

    def __init__(self, connect: Callable[[], aiomqtt.Client], *, timeout_s: float = TIMEOUT_S) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._open = AsyncExitStack()
        self._client: aiomqtt.Client | None = None
        self._one_at_a_time = asyncio.Lock()

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Publish the alerts of a message below a prefix, such as nabd/alerts, and return how many.

        Raises:
            Undelivered: the prefix is none, or the broker did not take them.
        """
        prefix = to.rstrip("/")
        if not PREFIX.fullmatch(prefix) or prefix.startswith("nabd/v1"):
            raise Undelivered("the prefix is no topic that alerts may stand below", permanent=True)
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await self._published(message, prefix)
            except TimeoutError:
                raise await self._failed(f"no answer within {self._timeout_s:g} s") from None
            except (aiomqtt.MqttError, OSError) as error:
                raise await self._failed(f"no answer: {type(error).__name__}") from None

    async def _failed(self, answer: str) -> Undelivered:
        connected = self._client is not None
        await self._disconnect()
        return Undelivered(answer, may_have_arrived=connected)

    async def _published(self, message: NotificationMessage, prefix: str) -> str:
        if self._client is None:
            self._client = await self._open.enter_async_context(self._connect())
        if message.work is not None:
            topic = f"{prefix}/{message.work.municipality}/orders/{message.work.order}"
            await self._client.publish(topic, msgspec.json.encode(work_of(message.work)), qos=1)
        elif not message.news:
            await self._client.publish(f"{prefix}/test", msgspec.json.encode(message.subject), qos=1)
        for news in message.news:
            await self._client.publish(topic_of(news, prefix), state_of(news), qos=1, retain=True)
        return f"{max(1, len(message.news))} published"

    async def _disconnect(self) -> None:
        stale, self._open, self._client = self._open, AsyncExitStack(), None
        try:
            async with asyncio.timeout(self._timeout_s):
                await stale.aclose()
        except (aiomqtt.MqttError, OSError, TimeoutError):
            return

    async def close(self) -> None:
        """Close the connection."""
        await self._disconnect()


def topic_of(news: AlertNews, prefix: str) -> str:
    """Return where an alert stands."""
    return f"{prefix}/{news.municipality}/{news.alert}"


def state_of(news: AlertNews) -> bytes:
    """Return what stands there: JSON, or nothing of one that has ended."""
    return b"" if news.occasion is Occasion.RESOLVED else msgspec.json.encode(alert_of(news))
