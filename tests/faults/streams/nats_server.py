"""A real NATS server with MQTT and JetStream, which a test may kill; its ports stay the same."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from nabd.embedded.broker import HOST, free_port
from tests.brokers import START_S, listens

SERVER = Path(sys.executable).with_name("nats-server")


class NatsServer:
    """Runs as long as its context. more: of its configuration."""

    def __init__(self, directory: Path, more: str = "") -> None:
        self.port, self.mqtt_port = free_port(), free_port()
        self._log = directory / "nats.log"
        self._configuration = directory / "nats.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self._configuration.write_text(
            f'listen: "{HOST}:{self.port}"\nserver_name: test\n'
            f'jetstream {{ store_dir: "{directory}/nats" }}\n'
            f'mqtt {{ listen: "{HOST}:{self.mqtt_port}", ack_wait: "10s", max_ack_pending: 1000 }}\n'
            f"{more}\n",
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start it and return once it listens."""
        with self._log.open("ab") as log:
            command = [str(SERVER), "-c", str(self._configuration)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while not (listens(self.port) and listens(self.mqtt_port)):
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, "nats-server does not listen"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it without warning."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.kill()
