"""Which device asks, by what it signs in with at the broker: HTTP Basic, or the same two as a bearer's token.

Must not know what it asks for.
"""

from __future__ import annotations

import base64
import binascii

from fastapi import Request

from api.context import POOL_TIMEOUT_S, AppContext
from api.http.guards import address_of
from api.http.problems import Problem
from devices.credentials.signing_in import KnownDevice, sign_in
from devices.instants import to_datetime
from people import throttle

CHALLENGE = {"WWW-Authenticate": 'Basic realm="nabd devices", charset="UTF-8"'}


async def signed_in(context: AppContext, request: Request, authorization: str | None) -> KnownDevice:
    """Return who asks.

    Raises:
        Problem: nobody who may; guesses are slowed by name, and by address when they are many.
    """
    username, password = _shown(authorization)
    counted = (
        (context.device_addresses, throttle.of_address(address_of(request.scope))),
        (context.device_guesses, f"device {username[:100]}"),
    )
    now_s = context.real_now() / 1_000_000
    wait_s = max(guesses.wait_s(key, now_s) for guesses, key in counted)
    if wait_s > 0:
        raise Problem(429, "too-many-requests", "wrong passwords", headers={"Retry-After": f"{wait_s:.0f}"})
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        device = await sign_in(connection, username, password, to_datetime(context.real_now()))
    if device is None:
        for guesses, key in counted:
            guesses.failed(key, now_s)
        raise Problem(401, "unauthorized", "not a device with its password", headers=CHALLENGE)
    return device


def _shown(authorization: str | None) -> tuple[str, str]:
    """Return user name and password of a header.

    Raises:
        Problem: it shows none.
    """
    scheme, _, shown = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        try:
            shown = base64.b64decode(shown.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            shown = ""
    username, colon, password = shown.strip().partition(":")
    if scheme.lower() not in ("basic", "bearer") or not colon or "\x00" in username:
        raise Problem(401, "unauthorized", "send Authorization: Basic", headers=CHALLENGE)
    return username, password
