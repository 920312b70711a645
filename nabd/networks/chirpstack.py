"""The devices of an application of ChirpStack v4, by its REST API (the proxy before its gRPC API).

GET /api/devices lists them, a page at a time; a device's own page has its tags, by which people say where it
stands. See api/proto/api/device.proto of ChirpStack: a page without `limit` has the count alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from nabd.networks.asking import ask, client
from nabd.networks.network_device import NetworkDevice, NetworkRefused

PAGE = 100
KEY = "the API key of ChirpStack"
_LAT, _LON = ("lat", "latitude"), ("lon", "lng", "longitude")


async def devices(
    url: str, application: str, token: str, on_total: Callable[[int], None], on_read: Callable[[int], None]
) -> list[NetworkDevice]:
    """Return all devices of an application.

    Args:
        url: of the REST API, such as https://chirpstack.example.org:8090.
        application: its id (UUID).
        token: an API key of the tenant or of the server.
        on_total, on_read: told how many there are, and each that has been read.

    Raises:
        NetworkRefused: it does not tell.
    """
    async with client(url, {"Grpc-Metadata-Authorization": f"Bearer {token}"}) as asked:
        found: list[NetworkDevice] = []
        while True:
            query: dict[str, str | int] = {"applicationId": application, "limit": PAGE, "offset": len(found)}
            page = await ask(asked, "/api/devices", query, key=KEY)
            total, items = int(page.get("totalCount", 0)), page.get("result", [])
            on_total(total)
            for item in items:
                found.append(await _device(asked, item))
                on_read(1)
            if not items or len(found) >= total:
                return found


async def _device(asked: httpx2.AsyncClient, item: Mapping[str, Any]) -> NetworkDevice:
    eui = str(item.get("devEui", ""))
    own = (await ask(asked, f"/api/devices/{eui}", {}, key=KEY)).get("device")
    if not isinstance(own, dict):
        raise NetworkRefused(f"/api/devices/{eui} answers without the device")
    tags = {str(name).lower(): str(value) for name, value in (own.get("tags") or {}).items()}
    models = (item.get("deviceProfileName"), item.get("deviceProfileId"))
    return NetworkDevice(
        eui=eui.upper(),
        title=str(own.get("name") or item.get("name") or ""),
        models=tuple(str(model) for model in models if model),
        lat=_degrees(tags, _LAT),
        lon=_degrees(tags, _LON),
        tags=tags,
    )


def _degrees(tags: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    for name in names:
        try:
            return float(tags[name])
        except (KeyError, ValueError):
            continue
    return None
