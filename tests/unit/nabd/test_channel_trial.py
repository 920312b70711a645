"""`nabd notify test` against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from nabd.cli import app

asked: list[dict[str, object]] = []


class Ntfy(BaseHTTPRequestHandler):
    """Takes everything but the topic `full`."""

    def do_POST(self) -> None:
        """Keep what is published."""
        asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(507 if asked[-1]["topic"] == "full" else 200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def ntfy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that NABD_NTFY_URL names."""
    asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Ntfy)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("NABD_NTFY_URL", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def nabd(*arguments: str) -> tuple[int, str, str]:
    """Run a command and return its exit code, output and complaint."""
    result = CliRunner().invoke(app, ["notify", "test", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.usefixtures("ntfy")
def test_test_is_sent_in_the_language_that_is_asked_for() -> None:
    code, said, _ = nabd("--channel", "ntfy", "--to", "lights", "--language", "fr", "--json")

    assert (code, json.loads(said)) == (0, {"channel": "ntfy", "answer": "200 OK"})
    assert (asked[0]["topic"], asked[0]["title"]) == ("lights", "Nabd : un essai")


@pytest.mark.usefixtures("ntfy")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--channel", "ntfy", "--to", "full"), "507"),
        (("--channel", "pigeon", "--to", "x"), "'pigeon' is not set up; channels are: ntfy"),
        (("--channel", "ntfy", "--to", "x", "--language", "de"), "'de' is none of en, fr, ar"),
    ],
)
def test_test_that_does_not_arrive_says_why_in_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    code, _, said = nabd(*arguments)

    assert code == 1
    assert complaint in " ".join(said.split())


def test_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_WEBHOOK_SECRET", "whsec_short")

    code, _, said = nabd("--channel", "webhook", "--to", "https://x")

    assert (code, "NABD_WEBHOOK_SECRET: expected whsec_" in " ".join(said.split())) == (1, True)
