"""The console's files, served from inside the package: no build step, and nothing from another host.

Files are read once at the start; each has an ETag, and only the types listed here are served; a page that has
every language at once gets its texts then. Must not know what they show.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import cast

from fastapi import APIRouter, Request, Response

from api.http.pages import CACHE
from devices.texts.catalogue import text
from devices.texts.languages import Language

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
PAGES = ("/", "/alerts/{alert_id}", "/devices/{device}")
"""Addresses of the one page, whose script shows what they name (console/shell/address.js)."""
MODULES = b"<!-- modules -->"
_MARK = re.compile(r"\{\{(\w+) ([\w.]+)\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    media_type: str
    tag: str


def asset(body: bytes, media_type: str) -> Asset:
    """Return what is sent of a body; its ETag follows from its bytes, and is weak: they may be compressed."""
    return Asset(body=body, media_type=media_type, tag=f'W/"{hashlib.sha256(body).hexdigest()[:24]}"')


def load(directory: Traversable | None = None) -> dict[str, Asset]:
    """Return the files of the console by path, subdirectories included."""
    root = directory or resources.files("api") / "console"
    found: dict[str, Asset] = {}
    _collect(root, "", found)
    if "index.html" in found:
        page = found["index.html"]
        found["index.html"] = asset(page.body.replace(MODULES, _preloads(found)), page.media_type)
    return found


def _preloads(files: Mapping[str, Asset]) -> bytes:
    """Return links to all modules: they are fetched at once, not one level of imports after the other."""
    modules = sorted(path for path in files if path.endswith(".js"))
    return "\n  ".join(f'<link rel="modulepreload" href="/console/{path}">' for path in modules).encode()


def _collect(directory: Traversable, prefix: str, found: dict[str, Asset]) -> None:
    for entry in directory.iterdir():
        media_type = MEDIA_TYPES.get(entry.name.rpartition(".")[2])
        if entry.is_dir():
            _collect(entry, f"{prefix}{entry.name}/", found)
        elif media_type is not None:
            body = entry.read_bytes()
            if entry.name.endswith(".html"):
                body = _filled(body)
            found[prefix + entry.name] = asset(body, media_type)


def _filled(page: bytes) -> bytes:
    """Return a page with texts in place of marks such as {{fr page.sign_in}}."""
    return _MARK.sub(lambda m: html.escape(text(cast(Language, m[1]), m[2])), page.decode()).encode()


def router(files: dict[str, Asset]) -> APIRouter:
    """Return a route for each address of the page and for each file beside it; no request reads the disk."""
    routes = APIRouter(include_in_schema=False)
    for path in files:
        for url in PAGES if path == "index.html" else (f"/console/{path}",):
            routes.add_api_route(url, _serve(files[path]), methods=["GET"], response_class=Response)
    return routes


def _serve(sent: Asset) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return answer(request, sent)

    return serve


def answer(request: Request, sent: Asset, headers: Mapping[str, str] | None = None) -> Response:
    """Return an asset, or 304 where the reader has it."""
    headers = {"ETag": sent.tag, "Cache-Control": CACHE, **(headers or {})}
    if sent.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(sent.body, media_type=sent.media_type, headers=headers)
