"""The corpus in tests/golden/bad: what is sent, and what must become of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parent / "golden/bad"
RECEIVED_AT = int(datetime(2026, 3, 1, 7, 30, tzinfo=UTC).timestamp()) * 1_000_000
RETENTION = 90 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """One case; `says` is its table in cases.toml, whose keys README.md there explains."""

    name: str
    says: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.says.get("kind", "bin"))

    @property
    def topic(self) -> str:
        device = self.says.get("device", self.name)
        return str(self.says.get("topic", f"nabd/v1/tripoli/{self.kind}/{device}/telemetry"))

    @property
    def payloads(self) -> list[bytes]:
        whole = (DIRECTORY / str(self.says["file"])).read_bytes()
        if self.says.get("lines"):
            return whole.split(b"\n")
        return [whole[:n] for n in range(1, len(whole))] if self.says.get("truncated") else [whole]

    @property
    def arrives(self) -> bool:
        """Whether the broker hands it on."""
        return "answer" not in self.says

    @property
    def devices(self) -> list[tuple[str, str, str | None]]:
        """Name, kind and parent of each device registered for it."""
        if not self.says.get("registered", True):
            return []
        own: list[tuple[str, str, str | None]] = [(self.name, self.kind, None)]
        if self.kind == "gateway":
            own.append((f"{self.name}-below", "bin", self.name))
        if self.name == "gateway_relays_a_gateway":
            own.append((f"{self.name}-gateway", "gateway", self.name))
        return own

    @property
    def rejected(self) -> list[tuple[str, str]]:
        """Reason and pointer of each rejection, in order."""
        if "reason" in self.says:
            return [(self.says["reason"], "")] * len(self.payloads)
        return [(r["reason"], r["pointer"]) for r in self.says.get("rejected", ())]

    @property
    def stored(self) -> int:
        return int(self.says.get("stored", 0)) + int(self.says.get("stored_below", 0))

    @property
    def readings(self) -> int:
        """How many readings the ledger counts."""
        counted = self.stored + len(self.rejected) + int(self.says.get("duplicates", 0))
        return int(self.says.get("readings", counted))


def cases() -> list[Case]:
    """Return every case, in the order of the file."""
    table = tomllib.loads((DIRECTORY / "cases.toml").read_text(encoding="utf-8"))
    return [Case(name, says) for name, says in table.items()]
