"""A broker started by Nabd, on loopback: the machine's mosquitto, else the one in the wheel `iotcore`.

For `nabd demo` and `nabd up` without NABD_BROKER. Neither has passwords, so neither listens beyond loopback.
"""

from __future__ import annotations

import os
import random
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

from nabd.broker.address import BrokerAddress

HOST = "127.0.0.1"
_START_S = 10.0
_PORTS = range(16_000, 32_000)
"""Below those that Linux gives to outgoing connections (net.ipv4.ip_local_port_range, 32768 on)."""


class LocalBroker(Protocol):
    """A broker that runs for as long as its context."""

    name: str
    address: BrokerAddress
    receive_maximum: int
    queue: int
    persistent: bool

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class BrokerFailed(RuntimeError):
    """The broker did not start; the text has its output."""


def find_mosquitto() -> str | None:
    """Return the machine's mosquitto; Debian puts it in /usr/sbin, which is not in ordinary users' PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


def local_broker(directory: Path, *, port: int = 0) -> LocalBroker:
    """Return the better of the brokers this machine can run, not started; port 0 takes a free one."""
    directory.mkdir(parents=True, exist_ok=True)
    program = find_mosquitto()
    return Mosquitto(directory, program, port) if program else IotCore(directory, port)


def free_port() -> int:
    """Return a loopback port that is free at present; no outgoing connection is given it meanwhile."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return port


def port_or_free(port: int) -> int:
    """Return the port when it can be listened on, else a free one."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return free_port()
        found: int = listener.getsockname()[1]
        return found


_MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_interval 5
max_queued_messages {queue}
max_inflight_messages 0
max_packet_size 262144
set_tcp_nodelay true
log_dest file {directory}/mosquitto.log
"""


class Mosquitto:
    """The machine's mosquitto with a store of its own."""

    name = "mosquitto"
    receive_maximum = 65_535
    queue = 1_000_000
    persistent = True

    def __init__(self, directory: Path, program: str, port: int) -> None:
        self.address = BrokerAddress(host=HOST, port=port or free_port())
        self._directory = directory.absolute()
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        configuration = self._directory / "mosquitto.conf"
        # Started by root it would change to a user without write access to this directory.
        user = "user root\n" if os.geteuid() == 0 else ""
        text = _MOSQUITTO.format(
            port=self.address.port, host=HOST, directory=self._directory, queue=self.queue
        )
        configuration.write_text(user + text, encoding="utf-8")
        # A process session of its own: Ctrl-C in the terminal must reach only us, who stop the broker last.
        self._process = subprocess.Popen(  # noqa: S603 - the machine's mosquitto, with our own file
            [self._program, "-c", str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._watch = _watch_over(self._process.pid)
        deadline = time.monotonic() + _START_S
        while not _listens(self.address.port):
            if self._process.poll() is not None:
                assert self._process.stderr is not None
                said = self._process.stderr.read().decode(errors="replace").strip()
                raise BrokerFailed(f"mosquitto did not start on port {self.address.port}: {said}")
            if time.monotonic() > deadline:
                self._stop()
                raise BrokerFailed(f"mosquitto does not listen after {_START_S:.0f} s")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pid(self) -> int:
        """Process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def _stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_START_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        if self._watch is not None:
            self._watch.communicate()


def _watch_over(pid: int) -> subprocess.Popen[bytes]:
    """Start a shell that stops the broker when this process is gone, kill -9 included.

    It reads a pipe whose other end only we hold, and runs in a process session of its own.
    """
    return subprocess.Popen(  # noqa: S603 - a number and our own words
        ["/bin/sh", "-c", f"read -r _; kill {pid} 2>/dev/null"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


_ROUTER = """\
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


class IotCore:
    """The broker in the wheel: MQTT 5, no persistence, at most 100 unacknowledged messages.

    It has one protocol a port. A client that speaks MQTT 3.1.1 to it is hung up on without an answer, and
    most client libraries then try again until their time is out.
    """

    name = "iotcore (embedded, MQTT 5 only)"
    receive_maximum = 100
    queue = 0
    persistent = False

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.address = BrokerAddress(host=HOST, port=port or free_port())
        configuration = directory / "broker.toml"
        configuration.write_text(_ROUTER.format(host=HOST, port=self.address.port), encoding="utf-8")
        self._broker = iotcore.Broker(config_path=str(configuration))

    def __enter__(self) -> Self:
        try:
            self._broker.start()
        except (OSError, RuntimeError) as error:
            raise BrokerFailed(f"the embedded broker did not start: {error}") from error
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
