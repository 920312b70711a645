"""One question to a network's HTTP API: a GET with a key, answered by JSON, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from nabd.networks.network_device import NetworkRefused

TIMEOUT_S = 30.0
TRIES = 3
MOST_BYTES = 32 << 20


def client(url: str, headers: Mapping[str, str]) -> httpx2.AsyncClient:
    """Return a client of an API that follows no redirects: whoever redirects was given a wrong address."""
    return httpx2.AsyncClient(
        base_url=url.rstrip("/"), headers=dict(headers), timeout=TIMEOUT_S, follow_redirects=False
    )


async def ask(
    asked: httpx2.AsyncClient, path: str, query: Mapping[str, str | int], *, key: str
) -> dict[str, Any]:
    """Return the object that a path answers; an error of the server or of the way is tried again.

    Args:
        key: what the API calls the key that was sent, for whoever is told that it is not accepted.

    Raises:
        NetworkRefused: it answers something else.
    """
    for left in reversed(range(TRIES)):
        try:
            answer = await asked.get(path, params=query)
        except httpx2.HTTPError as error:
            if left:
                continue
            raise NetworkRefused(
                f"{asked.base_url} does not answer: {error or type(error).__name__}"
            ) from error
        if answer.status_code >= 500 and left:
            continue
        return _object(answer, path, key)
    raise AssertionError("the last try returns or raises")


def _object(answer: httpx2.Response, path: str, key: str) -> dict[str, Any]:
    status = answer.status_code
    if status == 200 and len(answer.content) <= MOST_BYTES:
        try:
            found = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            found = None
        if isinstance(found, dict):
            return found
        raise NetworkRefused(f"{path} answers no JSON object: is this the address of the API?")
    said = _message(answer)
    match status:
        case 401 | 403:
            raise NetworkRefused(f"{key} is not accepted ({status}{said}): may it read this application?")
        case 404:
            raise NetworkRefused(f"{path} is not there (404{said}): look at the address and --application")
        case _ if 300 <= status < 400:
            where = answer.headers.get("location", "elsewhere")
            raise NetworkRefused(f"{path} sends us to {where}: give that address")
        case _:
            raise NetworkRefused(f"{path} answers {status}{said}")


def _message(answer: httpx2.Response) -> str:
    """Return what an API says of its refusal, as both of them do: {"code": ..., "message": ...}."""
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return ""
    message = found.get("message") if isinstance(found, dict) else None
    return f": {message[:200]}" if isinstance(message, str) and message else ""
