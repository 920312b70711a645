"""Where everything of a production on one machine is: directories and ports in place of a machine's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import CHECKOUT
from nabd.embedded.broker import free_port
from nabd.systemd.units import Unit, identity

Tell = Callable[[str], None]
"""Says to people how far it is."""
DEPLOY = CHECKOUT / "deploy"
TOWN = "tripoli"
DOORS = ("devices", "secure", "certified", "next", "platform", "ingest")
PORTS = (*DOORS, "database", "http", "https", "redirect", "foreign")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionLayout:
    """Below one directory what else lies in /etc/nabd, /var/lib/nabd and /run; ports by who listens."""

    directory: Path
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})

    @property
    def configuration(self) -> Path:
        """The one file of settings."""
        return self.directory / "etc/nabd.env"

    @property
    def secrets(self) -> Path:
        """A file for each secret."""
        return self.directory / "etc/secrets"

    @property
    def state(self) -> Path:
        """What is /var/lib/nabd elsewhere."""
        return self.directory / "state"

    @property
    def logs(self) -> Path:
        """What each process says."""
        return self.directory / "logs"

    def secret(self, name: str) -> str:
        """Return a secret."""
        return (self.secrets / name).read_text(encoding="utf-8")

    def here(self, text: str) -> str:
        """Return a line of a unit with this machine's places in it."""
        for pattern, instead in (
            (r"/etc/nabd", str(self.directory / "etc")),
            (r"/var/lib/nabd", str(self.state)),
            (r"127\.0\.0\.1/nabd", f"127.0.0.1:{self.ports['database']}/nabd"),
            (r"\*:8883", f"127.0.0.1:{self.ports['secure']}"),
            (r"\*:8884", f"127.0.0.1:{self.ports['certified']}"),
            (r"\*:8885", f"127.0.0.1:{self.ports['next']}"),
            (r":1884\b", f":{self.ports['platform']}"),
            (r":1885\b", f":{self.ports['ingest']}"),
            (r"127\.0\.0\.1:8000", f"127.0.0.1:{self.ports['http']}"),
        ):
            text = re.sub(pattern, instead, text)
        return text

    def environment(self, unit: Unit) -> dict[str, str]:
        """Return what systemd would give the process of a unit: variables, and its secrets as files."""
        credentials = self.directory / "run" / unit.name
        credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = {"CREDENTIALS_DIRECTORY": str(credentials)}
        for line in (*identity(unit), *unit.settings):
            kind, _, said = line.partition("=")
            if kind == "LoadCredential":
                name, _, source = said.partition(":")
                (credentials / name).write_bytes(Path(self.here(source)).read_bytes())
            elif kind == "Environment":
                pairs = self.here(said).replace("%d", str(credentials)).split()
                found |= {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
        return found | {
            "NABD_DATA_DIR": str(self.state),
            "NABD_BROKER_FILES": str(self.state / "broker-files"),
            "NABD_HTTP_PORT": str(self.ports["http"]),
        }
