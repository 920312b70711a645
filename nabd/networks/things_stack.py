"""The devices of an application of The Things Stack v3, by the API of its Identity Server.

GET /api/v3/applications/{application}/devices lists them, a page at a time, with the fields asked for. The
address names the cluster: https://eu1.cloud.thethings.network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from nabd.networks.asking import ask, client
from nabd.networks.network_device import NetworkDevice

PAGE = 100
KEY = "the API key of The Things Stack"
FIELDS = "name,description,attributes,version_ids,locations"


async def devices(
    url: str, application: str, token: str, on_total: Callable[[int], None], on_read: Callable[[int], None]
) -> list[NetworkDevice]:
    """Return all devices of an application.

    Args:
        url: of the cluster that has the Identity Server.
        application: its id.
        token: an API key with the right to see the application's devices.
        on_total, on_read: told how many there are at least, and each that has been read.

    Raises:
        NetworkRefused: it does not tell.
    """
    path = f"/api/v3/applications/{quote(application, safe='')}/devices"
    async with client(url, {"Authorization": f"Bearer {token}"}) as asked:
        found: list[NetworkDevice] = []
        for page in range(1, 1 << 20):
            query: dict[str, str | int] = {"field_mask": FIELDS, "limit": PAGE, "page": page}
            items = (await ask(asked, path, query, key=KEY)).get("end_devices", [])
            found += map(_device, items)
            on_total(len(found))
            on_read(len(items))
            if len(items) < PAGE:
                break
        return found


def _device(item: Mapping[str, Any]) -> NetworkDevice:
    ids, version = item.get("ids") or {}, item.get("version_ids") or {}
    brand, model = version.get("brand_id"), version.get("model_id")
    where = (item.get("locations") or {}).get("user") or {}
    tags = {str(name).lower(): str(value) for name, value in (item.get("attributes") or {}).items()}
    # Numbers that are zero are left out of its JSON.
    placed = "latitude" in where or "longitude" in where
    return NetworkDevice(
        eui=str(ids.get("dev_eui", "")).upper(),
        title=str(item.get("name") or ids.get("device_id") or ""),
        models=(f"{brand}/{model}", str(model)) if brand and model else (),
        lat=float(where.get("latitude", 0)) if placed else None,
        lon=float(where.get("longitude", 0)) if placed else None,
        tags=tags,
    )
