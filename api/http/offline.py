"""What lets the console be installed and opened without network: service worker, manifest, icons.

The worker is one file of the console; in front of it stands which edition of the files it keeps, so that
another edition is another worker. Must not know what the pages show.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from fastapi import APIRouter, Request, Response

from api.http import assets
from api.http.assets import MEDIA_TYPES, PAGES, WORKER, Asset, answer, asset
from api.http.languages import negotiate
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES, Language, direction_of

MANIFEST_TYPE = "application/manifest+json"
ICONS = {"192": "any", "512": "any", "512-maskable": "maskable"}
"""Purpose of each icon by its file's name; its size stands before the dash."""
COLOUR = "#0f766e"
_LIBRARIES = "vendor/"
"""Large, and not needed by every page: kept once they were asked for."""


def router(files: Mapping[str, Asset]) -> APIRouter:
    """Return the routes of the worker and of the manifest; both are made once, here."""
    routes = APIRouter(include_in_schema=False)
    worker = asset(worker_body(files), MEDIA_TYPES["js"])
    manifests = {language: asset(_manifest(language), MANIFEST_TYPE) for language in LANGUAGES}

    async def serve_worker(request: Request) -> Response:
        return answer(request, worker)

    async def serve_manifest(request: Request) -> Response:
        language = negotiate(request.headers.get("accept-language"))
        return answer(request, manifests[language], {"Vary": "Accept-Language"})

    routes.add_api_route("/sw.js", serve_worker, methods=["GET"], response_class=Response)
    routes.add_api_route("/manifest.webmanifest", serve_manifest, methods=["GET"], response_class=Response)
    return routes


def worker_body(files: Mapping[str, Asset]) -> bytes:
    """Return the service worker of an edition of all files."""
    rooms = {url.split("/")[1]: room for room, urls in PAGES.items() for url in urls}
    edition = {
        "version": assets.version_of(files),
        "files": [f"/console/{path}" for path in kept_files(files)],
        "languages": LANGUAGES,
        "rooms": rooms,
    }
    return b"const EDITION = " + msgspec.json.encode(edition) + b";\n" + files[WORKER].body


def kept_files(files: Mapping[str, Asset]) -> list[str]:
    """Return the modules and styles of all pages, libraries aside."""
    return [
        path
        for path in sorted(files)
        if path.endswith((".js", ".css")) and not path.startswith((_LIBRARIES, WORKER, "signin"))
    ]


def _manifest(language: Language) -> bytes:
    shown = {
        "id": "/work",
        "name": "Nabd نبض",
        "short_name": "Nabd",
        "lang": language,
        "dir": direction_of(language),
        "start_url": "/work",
        "scope": "/",
        "display": "standalone",
        "background_color": COLOUR,
        "theme_color": COLOUR,
        "icons": [
            {
                "src": f"/console/icons/{icon}.png",
                "sizes": "x".join([icon.partition("-")[0]] * 2),
                "type": MEDIA_TYPES["png"],
                "purpose": purpose,
            }
            for icon, purpose in ICONS.items()
        ],
        "shortcuts": [
            {"name": text(language, "console.nav_work"), "url": "/work"},
            {"name": text(language, "console.nav_install"), "url": "/work/install"},
            {"name": text(language, "console.nav_alerts"), "url": "/"},
        ],
    }
    return msgspec.json.encode(shown)
