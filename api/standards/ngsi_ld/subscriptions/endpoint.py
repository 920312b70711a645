"""A notification, posted to where it is wanted: public addresses, and what the administrator lists.

What may be called is judged each time, as for webhooks; beyond these, http is for listed hosts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2
import msgspec

from api.standards.ngsi_ld.context import JSON_LD, REL
from api.standards.ngsi_ld.values import URN
from devices.instants import rfc3339
from notify.channels import pinned
from notify.channels.http_exchange import TIMEOUT_S, accepted, exchange
from notify.channels.left_out import without_address
from notify.channels.public_address import ListedTargets, Resolve
from notify.message import Undelivered


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityNotification:
    """A notification as it leaves.

    context: the address of our JSON-LD context. holds_context: the body holds it, not a header.
    """

    id: UUID
    subscription: str
    at: datetime
    entities: Sequence[Mapping[str, Any]]
    context: str
    holds_context: bool

    @property
    def body(self) -> bytes:
        """As the standard writes it (5.3.1)."""
        document = {
            "id": f"{URN}:Notification:{self.id}",
            "type": "Notification",
            "subscriptionId": self.subscription,
            "notifiedAt": rfc3339(self.at),
            "data": self.entities,
        }
        return msgspec.json.encode({"@context": self.context, **document} if self.holds_context else document)

    @property
    def headers(self) -> dict[str, str]:
        """What says how to read the body."""
        if self.holds_context:
            return {"Content-Type": JSON_LD}
        link = f'<{self.context}>; rel="{REL}"; type="{JSON_LD}"'
        return {"Content-Type": "application/json", "Link": link}


async def judged(
    uri: str, *, targets: ListedTargets, resolve: Resolve, timeout_s: float = TIMEOUT_S
) -> tuple[httpx2.URL, str]:
    """Return a URI as it is read, and the network address to connect to.

    Raises:
        Undelivered: it may not be called (permanent), or has no address now.
    """
    url = pinned.url_of(uri)
    address = await pinned.judged(url, targets=targets, resolve=resolve, timeout_s=timeout_s)
    if url.scheme != "https" and not targets.lists(url.host, address):
        raise Undelivered(f"{url.host} is called by https, or listed", permanent=True)
    return url, address


async def post(
    client: httpx2.AsyncClient,
    uri: str,
    notification: EntityNotification,
    secrets: Mapping[str, str],
    *,
    targets: ListedTargets,
    resolve: Resolve,
) -> None:
    """Hand a notification over.

    Args:
        client: follows no redirects, goes through no proxy, keeps no connection.
        secrets: headers that the receiver wants, by name.

    Raises:
        Undelivered: it may not be called, or did not take it; the text holds none of the secrets.
    """
    url, address = await judged(uri, targets=targets, resolve=resolve)
    own = {name.lower() for name in notification.headers}
    shown = {name: value for name, value in secrets.items() if name.lower() not in own}
    request = pinned.pinned_post(client, url, address, {**shown, **notification.headers}, notification.body)
    try:
        accepted(await exchange(client, request), uri)
    except Undelivered as error:
        said = str(error)
        for value in secrets.values():
            # A receiver may repeat what it was shown: the value, or what follows "Bearer".
            for word in {value, *value.split()}:
                said = without_address(said, word) if len(word) > 3 else said
        raise Undelivered(said, permanent=error.permanent, retry_after_s=error.retry_after_s) from None
