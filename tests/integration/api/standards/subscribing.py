"""What tests of subscriptions ask of the API, and what receivers were told."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any

import httpx2

from devices.registry.editing import edit_device
from store.audit import PLATFORM
from tests.integration.api.builders import NOON
from tests.unit.notify.channels.services import HttpService
from tests.waiting import eventually

PATH = "/ngsi-ld/v1/subscriptions"
edit = partial(edit_device, by=PLATFORM)


def wish(receiver: HttpService, **more: Any) -> dict[str, Any]:
    """Return a subscription to bins."""
    notification = {"endpoint": {"uri": f"{receiver.url}/hear"}, **more.pop("notification", {})}
    found = {"type": "Subscription", "entities": [{"type": "WasteContainer"}], "notification": notification}
    return {name: value for name, value in (found | more).items() if value is not None}


async def subscribe(client: httpx2.AsyncClient, body: dict[str, Any], token: str = "") -> str:
    """Make a subscription, as whoever has a token, and return its address."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await client.post(PATH, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def told(receiver: HttpService) -> list[list[dict[str, Any]]]:
    """Return the entities of each notification."""
    return [json.loads(one.body)["data"] for one in receiver.asked]


def fills(receiver: HttpService) -> list[list[tuple[str, float]]]:
    """Return names and fill levels of each notification that says something new.

    What changes while a notification is made is in it, and in the next one.
    """
    every = [
        [(one["id"].rpartition(":")[2], one.get("fillingLevel", {}).get("value")) for one in several]
        for several in told(receiver)
    ]
    return [several for several, _ in groupby(every)]


async def hears_of(receiver: HttpService, level: float, path: str = "") -> None:
    """Wait for a notification of one entity that has a fill level; several changes may come in one."""

    async def heard_of() -> bool:
        to_path = (json.loads(one.body) for one in receiver.asked if one.line.startswith(f"POST {path}"))
        return any(body["data"][0].get("fillingLevel", {}).get("value") == level for body in to_path)

    await eventually(heard_of)


async def stands(client: httpx2.AsyncClient, address: str, **wanted: Any) -> dict[str, Any]:
    """Wait until a subscription's `notification`, or itself, says what is wanted."""

    async def says() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(address)).json()
        both = found | found["notification"] | {"state": found["status"]}
        return found if all(both.get(name) == value for name, value in wanted.items()) else None

    found: dict[str, Any] = await eventually(says)
    return found


def after(**time: float) -> Any:
    return NOON + timedelta(**time)
