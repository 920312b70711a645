"""MQTT brokers for tests: a real mosquitto, or the broker in the wheel `iotcore`.

Both listen on loopback, on a free port, and are gone when their context ends. Neither has passwords.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import iotcore

HOST = "127.0.0.1"
START_S = 10.0


class Broker(Protocol):
    """What a test needs to know of a broker."""

    host: str
    port: int


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def find_mosquitto() -> str | None:
    """Return the path of the machine's mosquitto; Debian puts it where ordinary users have no PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


class Mosquitto:
    """A real mosquitto that a test may stop, kill and restart; its port stays the same.

    `store` is its persistence directory; without `persistent` nothing is written there.
    """

    def __init__(self, directory: Path, *, persistent: bool = False, settings: str = "") -> None:
        program = find_mosquitto()
        assert program, "mosquitto is not installed"
        self.host = HOST
        self.port = free_port()
        self.store = directory / "mosquitto"
        self.store.mkdir(parents=True, exist_ok=True)
        self._log = directory / "mosquitto.log"
        self._persistent = persistent
        self._settings = settings
        self._command = [program, "-c", str(directory / "mosquitto.conf")]
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "mosquitto.conf").write_text(self._configuration(), encoding="utf-8")

    def _configuration(self) -> str:
        # Run by root, mosquitto would change to a user who cannot reach the test's directory.
        user = "user root\n" if os.geteuid() == 0 else ""
        persistence = f"persistence true\npersistence_location {self.store}/\nautosave_interval 1\n"
        return (
            f"{user}listener {self.port} {self.host}\nallow_anonymous true\nmax_queued_messages 0\n"
            f"max_inflight_messages 0\nmax_packet_size 262144\nset_tcp_nodelay true\n"
            f"{persistence if self._persistent else 'persistence false'}\n{self._settings}\n"
        )

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and return once it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while not _listens(self.port):
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, f"mosquitto does not listen on {self.port}"
            time.sleep(0.02)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Stop it (SIGTERM: it saves its store first) and wait until it is gone."""
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)  # one frozen by a test would never end
        self._process.wait(timeout=START_S)
        self._process = None

    def kill(self) -> None:
        """End it without a chance to save anything."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it in good order and start it again."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


ROUTER = """\
id = 0

[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v5.1]
name = "v5"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 262144
max_inflight_count = 100
dynamic_filters = true
"""


class EmbeddedBroker:
    """The broker in the wheel: MQTT 5, no persistence, at most 100 unacknowledged messages."""

    def __init__(self, directory: Path) -> None:
        self.host = HOST
        self.port = free_port()
        configuration = directory / "broker.toml"
        configuration.write_text(ROUTER.format(host=self.host, port=self.port), encoding="utf-8")
        self._broker = iotcore.Broker(config_path=str(configuration))

    def __enter__(self) -> Self:
        self._broker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._broker.stop()


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1.0):
            return True
    except OSError:
        return False
