"""HTTPS before the console as it is deployed, where the machine has Caddy."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from bench.production.layout import DEPLOY, ProductionLayout
from bench.production.processes import unit_named
from bench.throughput.children import ChildFailed, child, last_words

OPENS_WITHIN_S = 30.0


@asynccontextmanager
async def running(layout: ProductionLayout) -> AsyncIterator[bool | None]:
    """Run Caddy until the context ends; give whether the console answers through it, None without Caddy."""
    if shutil.which("caddy") is None:
        yield None
        return
    environment = layout.environment(unit_named("nabd-https")) | {
        "NABD_DOMAIN": f"localhost:{layout.ports['https']}",
        "NABD_HTTPS": "files",
        "NABD_HTTP_REDIRECT": str(layout.ports["redirect"]),
        "NABD_HTTPS_ADMIN": "off",
        "NABD_CADDYFILE": str(DEPLOY / "caddy/Caddyfile"),
        "NABD_TLS_EVERY": "1",
        "HOME": str(layout.state),
    }
    log = layout.logs / "https.log"
    async with child([str(DEPLOY / "caddy/start")], log, {**os.environ, **environment}) as process:
        yield await _answers(layout, process)
        if process.returncode is not None:
            raise ChildFailed(f"caddy has ended:\n{last_words(log)}")


async def _answers(layout: ProductionLayout, process: asyncio.subprocess.Process) -> bool:
    """Tell whether the console answers whoever trusts our authority, and says so as https."""
    trust = ssl.create_default_context(cafile=layout.state / "tls/authority.pem")
    address = f"https://localhost:{layout.ports['https']}/healthz"
    deadline = asyncio.get_running_loop().time() + OPENS_WITHIN_S
    async with httpx2.AsyncClient(verify=trust, timeout=5) as client:
        while process.returncode is None and asyncio.get_running_loop().time() < deadline:
            try:
                answer = await client.get(address)
            except httpx2.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == httpx2.codes.OK:
                return "strict-transport-security" in answer.headers
            await asyncio.sleep(0.1)
    return False
