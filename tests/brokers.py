"""A real mosquitto for tests, which they may stop, kill and restart.

It listens on loopback, on a free port, and is gone when its context ends. It has no passwords.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from nabd.embedded.broker import HOST, find_mosquitto, free_port

START_S = 10.0


class Broker(Protocol):
    """What a test needs to know of a broker."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


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
        while not listens(self.port):
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


def listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1.0):
            return True
    except OSError:
        return False
