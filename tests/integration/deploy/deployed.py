"""The broker as it is deployed: exactly deploy/mosquitto, told other ports and another directory."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from nabd.broker.address import BrokerAddress
from nabd.embedded.broker import HOST, free_port
from nabd.identity import tls_files

DEPLOY = Path(__file__).parents[3] / "deploy/mosquitto"
PATH = os.environ["PATH"] + os.pathsep + "/usr/sbin"
"""Debian puts mosquitto where ordinary users have no PATH."""
ACCOUNTS = {"~ingest": "in", "~api": "out", "~bridge": "over", "~simulator": "play"}
DOORS = ("devices", "secure", "certified", "next", "platform", "ingest")
START_S = 15.0


def free_doors() -> dict[str, int]:
    """Return a free port for each door."""
    return {door: free_port() for door in DOORS}


@dataclass(slots=True, kw_only=True)
class DeployedBroker:
    """A broker with its watcher, below `directory`; ports by door."""

    directory: Path
    ports: dict[str, int] = field(default_factory=free_doors)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def incoming(self) -> Path:
        """Where Nabd puts what the watcher takes."""
        return self.directory / "incoming"

    @property
    def tls(self) -> Path:
        """Where the authority is."""
        return self.directory / "authority"

    @property
    def data(self) -> Path:
        """What the broker itself reads and keeps."""
        return self.directory / "broker"

    @property
    def log(self) -> str:
        """What broker and watcher have said."""
        return (self.directory / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        assert self._process is not None
        return self._process.pid

    def address(self, account: str, door: str = "platform") -> BrokerAddress:
        """Return where and as whom one of the platform's accounts comes in."""
        return BrokerAddress(host=HOST, port=self.ports[door], username=account, password=ACCOUNTS[account])

    def make_authority(self) -> None:
        """Make certificates, as `nabd tls init` does."""
        tls_files.init(self.tls, ["localhost", HOST], datetime.now(UTC))

    def trusting(self, *, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
        """Return what a device goes by: our authority, and its own certificate where it has one."""
        context = ssl.create_default_context(cafile=self.tls / tls_files.AUTHORITY)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        return context

    def start(self) -> None:
        """Run deploy/mosquitto/start and return once every door is open."""
        self.data.mkdir(exist_ok=True)
        self.incoming.mkdir(exist_ok=True)
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [DEPLOY / "start", settings_file(self.directory)],
                env=self._environment(),
                stdout=log,
                stderr=log,
            )
        doors = DOORS if (self.incoming / tls_files.SERVER).exists() else ("devices", "platform", "ingest")
        for door in doors:
            self._wait_until_open(self.ports[door])

    def _environment(self) -> dict[str, str]:
        doors = {f"MQTT_{door.upper()}_DOOR": f"{HOST}:{port}" for door, port in self.ports.items()}
        return {
            "PATH": PATH,
            "MQTT_DATA": str(self.data),
            "MQTT_INCOMING": str(self.incoming),
            "MQTT_WATCH_SECONDS": "0.5",
            "MQTT_INGEST_PASSWORD": ACCOUNTS["~ingest"],
            "MQTT_API_PASSWORD": ACCOUNTS["~api"],
            "MQTT_BRIDGE_PASSWORD": ACCOUNTS["~bridge"],
            "MQTT_SIMULATOR_PASSWORD": ACCOUNTS["~simulator"],
            **doors,
        }

    def _wait_until_open(self, port: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log
            with socket.socket() as s:
                if s.connect_ex((HOST, port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail(f"the broker does not listen on {port}: {self.log}")

    def __enter__(self) -> Self:
        for _ in range(5):
            try:
                self.start()
            except AssertionError:
                # Somebody else took one of the ports after it was found to be free.
                if "Address already in use" not in self.log:
                    raise
                self.ports = free_doors()
                (self.directory / "log").unlink()
            else:
                return self
        pytest.fail("no free ports")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the broker, which writes its store first."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(START_S)


def settings_file(directory: Path) -> Path:
    """Return the deployed settings, as a file that root's broker reads as root."""
    # Started by root, the broker would become `mosquitto`, who may not read a test's directory.
    own = "user root\n" if os.getuid() == 0 else ""
    file = directory / "settings"
    file.write_text((DEPLOY / "mosquitto.conf").read_text(encoding="utf-8") + own, encoding="utf-8")
    return file


def bears_own_passwords() -> bool:
    """Tell whether this mosquitto keeps messages for the absent although doors have their own passwords."""
    said = subprocess.run(
        ["mosquitto", "-h"], env={"PATH": PATH}, capture_output=True, text=True, check=False
    )
    found = re.search(r"mosquitto version (\d+)\.(\d+)\.(\d+)", said.stdout)
    assert found, said.stdout
    return not (2, 0, 12) <= tuple(map(int, found.groups())) <= (2, 0, 22)
