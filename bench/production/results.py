"""What became of it all: every reading that was acknowledged against those that are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from devices import kinds
from nabd.demo.proof import Proof, compare, read_log, stored_rows
from store.pool import connect

STORED_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CityResult:
    """What became of what network servers said.

    Attributes:
        sent: frames that the network servers' broker took, copies not counted; each must be a reading.
        rejected: of them, those that were refused.
        copies: messages of network servers that say a frame again.
        recognised: frames that the bridge counted as heard before, what the broker sent again among them; but
            not what it had counted within two seconds before it was killed.
        lost_on_air: frames that no gateway heard.
        faults: what happened to frames, gateways, the bridge and the broker, and how often.
    """

    devices: int
    models: int
    sources: int
    sent: int
    stored: int
    lost: int
    duplicated: int
    altered: int
    rejected: int
    copies: int
    recognised: int
    lost_on_air: int
    faults: dict[str, int]

    @property
    def holds(self) -> bool:
        """Tell whether each frame is one reading, with its own values at its own instant."""
        wrong = self.lost or self.duplicated or self.altered or self.rejected
        return not wrong and self.sent > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionResult:
    """What became of it.

    Attributes:
        sent: readings that the broker acknowledged to a device.
        lost: those of them that are not stored; duplicated and altered ones are wrong too.
        refused_plaintext: no door lets a device in without TLS, nor with another's password.
        accounts: as how many different accounts processes are at the database.
        https: the console answers through Caddy; None: there is no Caddy here.
        lorawan: devices of others; None: none were asked for.
    """

    sent: int
    stored: int
    lost: int
    duplicated: int
    altered: int
    refused_plaintext: bool
    devices: int
    accounts: int
    https: bool | None
    lorawan: CityResult | None

    @property
    def holds(self) -> bool:
        """Tell whether nothing was lost and nobody came in who may not."""
        wrong = self.lost or self.duplicated or self.altered or self.https is False
        others = self.lorawan is None or self.lorawan.holds
        return not wrong and self.refused_plaintext and self.sent > 0 and others

    def summary(self) -> dict[str, object]:
        """Return it as the last line has it."""
        return asdict(self)


async def proven(dsn: str, log: Path, names: Sequence[str]) -> Proof:
    """Compare what devices were told is safe with what is stored; ingest may still be at it."""
    lines = read_log(log)
    deadline = asyncio.get_running_loop().time() + STORED_WITHIN_S
    connection = await connect(dsn)
    try:
        while True:
            rows = await stored_rows(connection, kinds.load(), names, lambda instant: instant)
            proof = compare(lines, rows)
            if not proof.lost or asyncio.get_running_loop().time() > deadline:
                return proof
            await asyncio.sleep(1)
    finally:
        await connection.close()
