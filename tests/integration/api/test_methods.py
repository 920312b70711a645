"""Methods that an address does not take: the answer says all those that it does."""

from __future__ import annotations

import httpx2
import pytest


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/rules/r", "GET, PUT"),
        ("/api/v1/rules/r/shadow", "DELETE, GET, PUT"),
        ("/api/v1/devices", "GET, POST"),
        ("/api/v1/devices/d", "GET, PATCH"),
        ("/api/v1/alerts/acknowledge", "POST"),
        ("/api/v1/maintenance", "GET, POST"),
        ("/signin", "GET, POST"),
    ],
)
async def test_allow_names_every_method_of_the_address(
    client: httpx2.AsyncClient, path: str, allowed: str
) -> None:
    answer = await client.request("TRACE", path)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed
