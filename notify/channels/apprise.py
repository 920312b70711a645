"""WhatsApp, Signal, Matrix, Teams and what else Apprise speaks; installed with the extra `apprise`.

The administrator names services by their address, {to} in it is the receiver: people choose a service and
never write an address of their own, which could lead anywhere. Runs in threads of its own: one that
hangs holds up no look-up of a name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from notify.message import NotificationMessage, Undelivered

TIMEOUT_S = 30.0
AT_A_TIME = 32
"""As many as are sent at a time by one channel."""
TARGET = re.compile(r"([a-z][a-z0-9-]{0,30})(?::(?!//)(.{1,200}))?")
Notify = Callable[[str, str, str], bool]
"""Sends title and text to an address of Apprise; tells whether the service took it."""


class AppriseChannel:
    """Sends messages to `service:target`, or to `service` where its address has no {to}."""

    name = "apprise"

    def __init__(
        self, services: Mapping[str, str], *, notify: Notify | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        """services: address by name, for example {"whatsapp": "whatsapp://TOKEN@FROM/{to}"}."""
        self._services = services
        self._notify = notify or _by_apprise
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="apprise")

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Hand a message over and return that it was taken.

        Raises:
            Undelivered: nobody named such a service, or it did not take it.
        """
        found = TARGET.fullmatch(to)
        address = self._services.get(found[1]) if found else None
        if found is None or address is None or ("{to}" in address) is (found[2] is None):
            raise Undelivered("the address is not SERVICE:TARGET of a service that is set up", permanent=True)
        url = address.replace("{to}", quote(found[2] or "", safe=""))
        try:
            async with asyncio.timeout(self._timeout_s):
                taken = await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._notify, url, message.subject, message.text
                )
        except TimeoutError:
            # The thread goes on.
            raise Undelivered(f"no answer within {self._timeout_s:g} s", may_have_arrived=True) from None
        if not taken:
            raise Undelivered(f"{found[1]} did not take it")
        return f"{found[1]} took it"

    async def close(self) -> None:
        """Wait for nothing that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _by_apprise(url: str, title: str, text: str) -> bool:
    from apprise import Apprise

    service = Apprise()
    return bool(service.add(url)) and bool(service.notify(body=text, title=title))
