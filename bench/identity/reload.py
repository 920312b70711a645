"""A mosquitto with a long list of passwords: its start, memory, sign-ins, and the pause of a reload."""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from devices.credentials import scheme
from nabd.embedded.broker import HOST, find_mosquitto, free_port

PATIENCE_S = 300.0
PING, PONG = b"\xc0\x00", b"\xd0\x00"
_SETTINGS = """{user}listener {port} {host}
allow_anonymous false
password_file {passwords}
use_username_as_clientid true
max_connections -1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadFigures:
    """What was measured: seconds, MiB and milliseconds.

    reload_pause_s: how long a reload answers nobody. out_s: after how long a session is over whose password
    is not in the new list.
    """

    devices: int
    connected: int
    start_s: float
    memory_mb: float
    sign_in_ms_p50: float
    sign_in_ms_p99: float
    reload_pause_s: float
    out_s: float
    memory_after_mb: float


def measure(directory: Path, *, devices: int, connected: int) -> ReloadFigures:
    """Measure with so many devices in the list, of whom some are connected."""
    password = scheme.new_password(secrets.token_bytes)
    names = [f"BIN-{number:06d}" for number in range(devices)]
    # One hash for all: the broker's work is the same, ours is not to be measured.
    kept = scheme.hashed(password, secrets.token_bytes)
    passwords = directory / "passwords"
    _write(passwords, names, kept)
    port = free_port()
    began = time.perf_counter()
    with _broker(directory, passwords, port) as broker, ExitStack() as opened:
        start_s = time.perf_counter() - began
        memory = psutil.Process(broker.pid)
        memory_mb = memory.memory_info().rss / 2**20
        sockets, times = [], []
        for name in names[-connected:]:
            began = time.perf_counter()
            sockets.append(opened.enter_context(_signed_in(port, name, password)))
            times.append((time.perf_counter() - began) * 1000)
        _write(passwords, names[:-1], kept)
        began = time.perf_counter()
        broker.send_signal(signal.SIGHUP)
        pause_s = 0.0
        removed = select.poll()  # select() knows a thousand files only
        removed.register(sockets[-1], select.POLLIN)
        while not removed.poll(10):
            asked = time.perf_counter()
            sockets[0].sendall(PING)
            _expect(sockets[0], PONG)
            pause_s = max(pause_s, time.perf_counter() - asked)
        out_s = time.perf_counter() - began
        p50, p99 = np.percentile(times, [50, 99])
        return ReloadFigures(
            devices=devices,
            connected=connected,
            start_s=round(start_s, 3),
            memory_mb=round(memory_mb, 1),
            sign_in_ms_p50=round(float(p50), 2),
            sign_in_ms_p99=round(float(p99), 2),
            reload_pause_s=round(pause_s, 3),
            out_s=round(out_s, 3),
            memory_after_mb=round(memory.memory_info().rss / 2**20, 1),
        )


def _write(file: Path, names: list[str], kept: str) -> None:
    file.write_text("".join(f"{name}:{kept}\n" for name in names), encoding="utf-8")


@contextmanager
def _broker(directory: Path, passwords: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    program = find_mosquitto()
    if program is None:
        raise OSError("mosquitto is not installed")
    settings = directory / "conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    settings.write_text(
        _SETTINGS.format(user=user, port=port, host=HOST, passwords=passwords), encoding="utf-8"
    )
    with (directory / "log").open("wb") as log:
        broker = subprocess.Popen(  # noqa: S603 - the machine's mosquitto, with our own file
            [program, "-c", str(settings)], stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            if broker.poll() is not None or time.monotonic() > until:
                raise OSError(f"mosquitto did not start: {(directory / 'log').read_text(errors='replace')}")
            with socket.socket() as tried:
                if tried.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.005)
        yield broker
    finally:
        broker.terminate()
        broker.wait(PATIENCE_S)


@contextmanager
def _signed_in(port: int, name: str, password: str) -> Iterator[socket.socket]:
    """Sign in by MQTT 3.1.1, with a keep-alive of an hour."""
    texts = [name.encode(), name.encode(), password.encode()]
    payload = b"".join(len(text).to_bytes(2, "big") + text for text in texts)
    body = b"\x00\x04MQTT\x04\xc2\x0e\x10" + payload
    with socket.create_connection((HOST, port), timeout=PATIENCE_S) as opened:
        opened.sendall(b"\x10" + bytes([len(body)]) + body)
        _expect(opened, b"\x20\x02\x00\x00")
        yield opened


def _expect(opened: socket.socket, answer: bytes) -> None:
    got = b""
    while len(got) < len(answer) and (more := opened.recv(len(answer) - len(got))):
        got += more
    if got != answer:
        raise OSError(f"the broker answered {got!r} instead of {answer!r}")
