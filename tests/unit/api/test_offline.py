"""What an installed console has: a worker of this edition, a manifest in the reader's language, icons."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from api.http import assets, offline
from tests.parts import need_node


@pytest.fixture(scope="module")
def client() -> TestClient:
    """A program that asks for what an installed console has."""
    app = FastAPI()
    app.include_router(offline.router(assets.load()))
    return TestClient(app)


def edition(files: dict[str, assets.Asset]) -> dict[str, Any]:
    """Return what a worker says that it keeps."""
    first = offline.worker_body(files).split(b"\n", 1)[0]
    said: dict[str, Any] = json.loads(first.removeprefix(b"const EDITION = ").removesuffix(b";"))
    return said


def test_worker_keeps_every_module_and_style_of_the_pages_and_no_library() -> None:
    files = assets.load()
    kept = set(edition(files)["files"])

    for room in assets.PAGES:
        assert {f"/console/{path}" for path in assets.modules_of(files, f"{room}/main.js")} <= kept
        assert f"/console/{room}/{room}.css" in kept
    assert not [url for url in kept if "/vendor/" in url or "/console/signin" in url or url.endswith("sw.js")]
    assert edition(files)["rooms"]["work"] == "work"


def test_another_edition_of_any_file_is_another_worker() -> None:
    files = assets.load()
    changed = {**files, "work/main.js": replace(files["work/main.js"], tag='W/"other"')}

    assert edition(files)["version"] == assets.version_of(files)
    assert offline.worker_body(changed) != offline.worker_body(files)


def test_worker_is_a_script(client: TestClient) -> None:
    need_node()
    answer = client.get("/sw.js")

    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "no-cache" in answer.headers["Cache-Control"]
    subprocess.run(["node", "--check", "-"], input=answer.content, check=True, timeout=30)


@pytest.mark.parametrize(
    ("language", "work"), [("ar", "أعمال الصيانة"), ("fr", "Interventions"), ("en", "Work")]
)
def test_manifest_speaks_the_readers_language(client: TestClient, language: str, work: str) -> None:
    shown = client.get("/manifest.webmanifest", headers={"Accept-Language": language}).json()

    assert (shown["lang"], shown["dir"]) == (language, "rtl" if language == "ar" else "ltr")
    assert (shown["start_url"], shown["scope"], shown["display"]) == ("/work", "/", "standalone")
    assert shown["shortcuts"][0]["name"] == work


def test_icons_are_as_large_as_the_manifest_says(client: TestClient) -> None:
    files = assets.load()
    for icon in client.get("/manifest.webmanifest").json()["icons"]:
        body = files[icon["src"].removeprefix("/console/")].body
        assert "{}x{}".format(*Image.open(io.BytesIO(body)).size) == icon["sizes"]
