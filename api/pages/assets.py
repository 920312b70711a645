"""The console's files, served from inside the package: no build step, and nothing from another host.

Files are read once at the start; each has an ETag, and only the types listed here are served; a page that has
every language at once gets its texts then. Must not know what they show.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from posixpath import dirname, join, normpath
from typing import cast

from fastapi import APIRouter, Request, Response

from api.http.languages import negotiate
from api.http.pages import CACHE
from devices.texts.catalogue import group, text
from devices.texts.languages import LANGUAGES, Language

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "webp": "image/webp",
}
PAGES: Mapping[str, tuple[str, ...]] = {
    "queue": ("/", "/alerts/{alert_id}"),
    "device": ("/devices", "/devices/{device}"),
    "work": ("/work", "/work/{order_id}"),
    "reports": ("/reports",),
    "admin": ("/admin", "/admin/{part}", "/admin/{part}/{name}"),
    "account": ("/account",),
    "guide": ("/guide", "/guide/{guide}"),
}
"""The pages by the room that has main.html and main.js, with the addresses that lead there; the script shows
what an address names."""
FRAME = "shell/frame.html"
WORKER = "sw.js"
"""Served with the edition that it keeps (api.pages.offline)."""
PHONE = "camera=(self), geolocation=(self), microphone=()"
POLICIES = {"work": {"Permissions-Policy": PHONE}}
"""Headers of a page beside those of all: the technician's page may take photos and know where it is."""
_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?"(\.{1,2}/[^"]+)";', re.MULTILINE)
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
    if FRAME in found:
        version = version_of(found)
        for room in PAGES:
            found[page_of(room)] = asset(_page(found, room, version), MEDIA_TYPES["html"])
    return found


def page_of(room: str) -> str:
    """Return the path of a room's whole page, which stands in no file."""
    return f"{room}/page.html"


@cache
def _texts_tag() -> str:
    """Return what tells the texts and guides of this edition from others."""
    guides = sorted((resources.files("api") / "console/guide").iterdir(), key=lambda file: file.name)
    said = [str(group(language, f"console_{room}")) for language in LANGUAGES for room in PAGES]
    said += [str(group(language, name)) for language in LANGUAGES for name in ("console", "word")]
    said += [file.read_text(encoding="utf-8") for file in guides if file.name.endswith(".md")]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def version_of(files: Mapping[str, Asset]) -> str:
    """Return what tells this edition of all files from others."""
    said = [f"{path} {files[path].tag}" for path in sorted(files) if not path.endswith("/page.html")]
    said.append(_texts_tag())
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def _page(files: Mapping[str, Asset], room: str, version: str) -> bytes:
    """Return the whole page of a room: the frame with its part, its styles and all modules that it needs."""
    modules = sorted(modules_of(files, f"{room}/main.js"))
    rooms = {module.rpartition("/")[0] for module in modules}
    styles = sorted(
        (path for path in files if path.endswith(".css") and path.rpartition("/")[0] in rooms),
        key=lambda path: (not path.startswith("shell/"), path),
    )
    parts = {
        "room": room,
        "version": version,
        "styles": _links("stylesheet", styles),
        # Fetched at once, not one level of imports after the other.
        "modules": _links("modulepreload", modules),
        "page": files[f"{room}/main.html"].body.decode().strip("\n"),
    }
    page = files[FRAME].body.decode()
    for name, part in parts.items():
        page = page.replace(f"<!-- {name} -->", part)
    return page.encode()


def _links(rel: str, paths: Sequence[str]) -> str:
    return "\n  ".join(f'<link rel="{rel}" href="/console/{path}">' for path in paths)


def modules_of(files: Mapping[str, Asset], start: str) -> set[str]:
    """Return a module and all that it imports; what it loads only when needed is not among them."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            named = _IMPORT.findall(files[path].body.decode())
            waiting += [normpath(join(dirname(path), name)) for name in named]
    return found


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
    pages = {page_of(room): urls for room, urls in PAGES.items()}
    for path in files:
        if path in (FRAME, WORKER) or path.endswith("/main.html"):
            continue  # a part of pages, or served elsewhere
        headers = POLICIES.get(path.partition("/")[0], {}) if path in pages else {}
        for url in pages.get(path, (f"/console/{path}",)):
            serve = _serve(files[path], headers)
            routes.add_api_route(url, serve, methods=["GET"], response_class=Response)
    return routes


def _serve(sent: Asset, headers: Mapping[str, str]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return answer(request, sent, headers)

    return serve


def answer(request: Request, sent: Asset, headers: Mapping[str, str] | None = None) -> Response:
    """Return an asset, or 304 where the reader has it."""
    headers = {"ETag": sent.tag, "Cache-Control": CACHE, **(headers or {})}
    if sent.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(sent.body, media_type=sent.media_type, headers=headers)


def by_language(documents: Mapping[Language, Asset]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with the document in the reader's language."""

    async def serve(request: Request) -> Response:
        language = negotiate(request.headers.get("accept-language"))
        headers = {"Content-Language": language, "Vary": "Accept-Language"}
        return answer(request, documents[language], headers)

    return serve
