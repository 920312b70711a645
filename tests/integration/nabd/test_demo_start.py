"""How the demo finds out that its platform is ready."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nabd.demo import town


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_demo_asks_its_platform_past_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ready) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            said = town._get(f"http://127.0.0.1:{server.server_address[1]}/readyz", "token")
        finally:
            server.shutdown()
            serving.join()

    assert said == b"ready"
