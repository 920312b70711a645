"""`nabd device import` from ChirpStack and The Things Stack: a server that answers as their documents say.

It answers only what is asked as documented: method, path, parameters and the header of the key.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.devices.test_cli import Done, database, done, nabd

__all__ = ["database"]

APPLICATION = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"
KEY = "NNSXS.ABCDEF.GHI"
TABLE = """
municipality = "tripoli"

[[model]]
name = "Milesight EM310-UDL"
kind = "bin"
profile = "milesight-em310-udl"

[[model]]
name = "milesight-iot/em310-udl"
kind = "bin"
profile = "milesight-em310-udl"
"""
Answer = tuple[int, Any]


@dataclass
class Network:
    """A network's API. answers: says what a path and its parameters are answered; asked: what was asked."""

    answers: Callable[[str, dict[str, str]], Answer]
    header: tuple[str, str]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, handler: BaseHTTPRequestHandler) -> Answer:
        parts = urlsplit(handler.path)
        self.asked.append(handler.path)
        name, value = self.header
        if handler.headers.get(name) != value:
            return 401, {"code": 16, "message": "authentication failed", "details": []}
        if handler.headers.get("content-length") not in (None, "0"):
            return 400, {"code": 3, "message": "a GET has no body", "details": []}
        return self.answers(parts.path, {n: v[0] for n, v in parse_qs(parts.query).items()})


@contextmanager
def answering(network: Network) -> Iterator[Network]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = network.answer(self)
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in network.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    network.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()


def eui(number: int) -> str:
    return f"24e124136b5{number:05x}"


def chirpstack(count: int, model: str = "Milesight EM310-UDL") -> Network:
    """ChirpStack v4's REST API, an application of so many devices; the first of them says where it is."""

    def answers(path: str, query: dict[str, str]) -> Answer:
        if path == "/api/devices":
            if query.get("applicationId") != APPLICATION:
                return 404, {"code": 5, "message": "Object does not exist (id: x)", "details": []}
            start, limit = int(query.get("offset", 0)), int(query.get("limit", 0))
            listed = [
                {
                    "devEui": eui(n),
                    "createdAt": "2026-01-02T03:04:05Z",
                    "name": f"Bin {n}",
                    "description": "",
                    "deviceProfileId": "d7befbe6-926f-42d5-84f4-767a175fd2e2",
                    "deviceProfileName": model,
                    "deviceStatus": None,
                }
                for n in range(count)
            ]
            return 200, {"totalCount": count, "result": listed[start : start + limit]}
        known = {f"/api/devices/{eui(n)}": n for n in range(count)}
        if path not in known:
            return 404, {"code": 5, "message": "Object does not exist (id: x)", "details": []}
        tags = {"lat": "34.43", "lon": "35.84"} if known[path] == 0 else {"floor": "2"}
        device = {"devEui": path.rpartition("/")[2], "name": f"Bin {known[path]}", "tags": tags}
        return 200, {"device": device, "lastSeenAt": None, "deviceStatus": None}

    return Network(answers, ("Grpc-Metadata-Authorization", f"Bearer {KEY}"))


def things_stack(count: int) -> Network:
    """The Identity Server of a cluster: fields come only where the mask asks for them."""

    def answers(path: str, query: dict[str, str]) -> Answer:
        if path != "/api/v3/applications/bins/devices":
            return 404, {
                "code": 5,
                "message": "error:pkg/identityserver:application_not_found",
                "details": [],
            }
        mask = set(query.get("field_mask", "").split(","))
        limit, page = int(query.get("limit", 50)), max(1, int(query.get("page", 1)))
        every = []
        for n in range(count):
            whole = {
                "name": f"Bin {n}",
                "attributes": {"serial": f"S-{n}"},
                "version_ids": {"brand_id": "milesight-iot", "model_id": "em310-udl"},
                "locations": {"user": {"latitude": 34.43, "longitude": 35.84, "source": "SOURCE_REGISTRY"}},
            }
            ids = {"device_id": f"eui-{eui(n)}", "application_ids": {"application_id": "bins"}}
            every.append(
                {"ids": {**ids, "dev_eui": eui(n).upper()}, **{k: v for k, v in whole.items() if k in mask}}
            )
        return 200, {"end_devices": every[(page - 1) * limit : page * limit]}

    return Network(answers, ("Authorization", f"Bearer {KEY}"))


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    (tmp_path / "models.toml").write_text(TABLE, encoding="utf-8")
    return "--token-file", str(tmp_path / "key"), "--map", str(tmp_path / "models.toml")


def of_chirpstack(network: Network, files: tuple[str, ...], *more: str) -> Done:
    return nabd(
        "device", "import", "--chirpstack", network.url, "--application", APPLICATION, *files, "--json", *more
    )


def test_devices_of_chirpstack_are_registered_with_profile_and_place_and_once(
    database: str, files: tuple[str, ...]
) -> None:
    with answering(chirpstack(105)) as network:
        dry = of_chirpstack(network, files, "--dry-run")
        first = of_chirpstack(network, files)
        again = of_chirpstack(network, files)

    counts = [
        (d["written"], d["added"], d["updated"], d["unchanged"])
        for (d,) in (x.documents for x in (dry, first, again))
    ]
    assert counts == [(False, 105, 0, 0), (True, 105, 0, 0), (True, 0, 0, 105)]
    (shown,) = done("device", "show", eui(0).upper(), "--json").documents
    device = shown["device"]
    assert (device["kind"], device["title"], device["lat"], device["lon"]) == ("bin", "Bin 0", 34.43, 35.84)
    assert device["attributes"] == {"profile": "milesight-em310-udl"}
    lists = [path for path in network.asked if path.startswith("/api/devices?")]
    assert lists[:2] == [
        f"/api/devices?applicationId={APPLICATION}&limit=100&offset=0",
        f"/api/devices?applicationId={APPLICATION}&limit=100&offset=100",
    ]


def test_devices_of_the_things_stack_are_registered(database: str, files: tuple[str, ...]) -> None:
    with answering(things_stack(3)) as network:
        result = done("device", "import", "--tts", network.url, "--application", "bins", *files, "--json")

    assert result.documents[0]["added"] == 3
    (shown,) = done("device", "show", eui(2).upper(), "--json").documents
    device = shown["device"]
    assert (device["title"], device["serial"], device["lat"]) == ("Bin 2", "S-2", 34.43)
    assert device["attributes"] == {"profile": "milesight-em310-udl"}


def test_a_model_that_the_table_does_not_name_is_a_problem_of_its_line_and_nothing_is_written(
    database: str, files: tuple[str, ...]
) -> None:
    with answering(chirpstack(2, "Nobody's")) as network:
        result = of_chirpstack(network, files)

    assert result.code == 1
    (document,) = result.documents
    assert (document["written"], document["added"]) == (False, 0)
    assert [(p["line"], p["field"]) for p in document["problems"]] == [(1, "model"), (2, "model")]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (401, {"code": 16, "message": "authentication failed"}),
            "the API key of ChirpStack is not accepted",
        ),
        ((403, {"code": 7, "message": "no rights"}), "(403: no rights)"),
        ((404, {"code": 5, "message": "Object does not exist"}), "look at the address and --application"),
        ((200, b"<html>"), "answers no JSON object"),
        ((500, {"code": 13, "message": "internal"}), "answers 500: internal"),
        ((301, b""), "sends us to https://other"),
    ],
)
def test_what_a_network_answers_instead_is_told_in_one_line(
    database: str, files: tuple[str, ...], answer: Answer, said: str
) -> None:
    network = Network(lambda *_: answer, ("Grpc-Metadata-Authorization", f"Bearer {KEY}"))
    network.headers = {"location": "https://other"} if answer[0] == 301 else {}
    with answering(network):
        result = of_chirpstack(network, files)

    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert KEY not in result.err
    assert len(network.asked) == (3 if answer[0] == 500 else 1)


def test_a_wrong_key_is_not_accepted(database: str, files: tuple[str, ...]) -> None:
    Path(files[1]).write_text("other", encoding="utf-8")
    with answering(chirpstack(1)) as network:
        result = of_chirpstack(network, files)

    assert result.code == 1
    assert "401: authentication failed" in result.err


def test_a_network_that_is_away_is_told(database: str, files: tuple[str, ...]) -> None:
    with answering(chirpstack(1)) as network:
        pass

    result = of_chirpstack(network, files)

    assert result.code == 1
    assert "does not answer" in result.err


def test_a_network_needs_a_table_and_a_key(database: str) -> None:
    assert nabd("device", "import", "--chirpstack", "http://x").code == 2
    assert nabd("device", "import").code == 2
