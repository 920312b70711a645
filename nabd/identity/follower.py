"""Follows the database: what changes about credentials reaches the broker's files, and ends sessions.

Runs within `nabd sweep`. An outage of the database or a full disk changes nothing at the broker, and is told
once, when it begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiomqtt
import asyncpg
import structlog

from devices.credentials import broker_files
from devices.credentials.authority import RevokedCertificate
from devices.instants import Now, to_datetime
from nabd.broker.address import BrokerAddress
from nabd.identity import broker_directory, sessions, tls_files
from nabd.identity.broker_directory import OF_DEVICES, OF_SERVER, tls_contents
from nabd.identity.tls_files import AUTHORITY_KEY, REVOCATIONS, CertificateRefused
from store.failures import is_outage

log = structlog.get_logger(__name__)

EVERY_S = 3.0
TLS_EVERY_S = 60.0


@dataclass(slots=True, kw_only=True)
class CredentialWatch:
    """What the broker was last given, and why not more.

    pool: the database. directory: where the broker's watcher looks. tls_dir: where our authority is.
    broker: where sessions are ended; None: nowhere. now: the clock, by which certificates end too.
    """

    pool: asyncpg.Pool
    directory: Path
    tls_dir: Path
    broker: BrokerAddress | None
    now: Now
    _stamp: tuple[object, ...] | None = None
    _due: datetime | None = None
    _tls_at: datetime | None = None
    wanted: dict[str, bytes] = field(default_factory=dict)
    _revoked: list[str] = field(default_factory=list)
    _told: str = ""

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self.follow()
            await asyncio.sleep(EVERY_S)

    async def follow(self) -> None:
        """Bring the broker to what the database says now; what hinders is told once."""
        try:
            wrong = await self._write()
            await self._disconnect()
        except (OSError, CertificateRefused, aiomqtt.MqttError) as error:
            self._tell(str(error))
        except Exception as error:  # only an outage is handled here
            if not is_outage(error):
                raise
            self._tell(str(error) or type(error).__name__)
        else:
            if wrong:
                self._tell(wrong)
            elif self._told:
                log.info("the broker is given credentials again")
            self._told = wrong

    def _tell(self, why: str) -> None:
        if why != self._told:
            log.warning("the broker is not given what changed about credentials", error=why)
        self._told = why

    async def _write(self) -> str:
        """Give the broker what changed; return what is wrong with TLS, which holds no password up."""
        now = to_datetime(self.now())
        async with self.pool.acquire() as connection:
            stamp = await broker_files.stamp(connection)
            if not self._is_due(stamp, now):
                return ""
            lists = await broker_files.broker_lists(connection, now)
        await self._give(broker_directory.list_contents(lists))
        wrong = ""
        try:
            await self._write_tls(lists.revoked, now)
        except (OSError, CertificateRefused) as error:
            wrong = str(error)
        self._stamp, self._due = stamp, lists.due
        self._tls_at = None if wrong else now
        return wrong

    async def _write_tls(self, revoked: Sequence[RevokedCertificate], now: datetime) -> None:
        """First whom the broker refuses; a server's certificate that is broken does not hold that up."""
        is_signing = (self.tls_dir / AUTHORITY_KEY).exists()
        if is_signing:
            signing = tls_files.signer(self.tls_dir, now)
            tls_files.revocations(self.tls_dir, revoked, signing, now)
        await self._give(tls_contents(self.tls_dir, OF_DEVICES))
        self._revoked = [one.serial for one in revoked]
        if is_signing and tls_files.renew_if_due(self.tls_dir, now):
            log.info("the server's certificate is signed anew", directory=str(self.tls_dir))
        await self._give(tls_contents(self.tls_dir, OF_SERVER))

    async def _give(self, contents: Mapping[str, bytes]) -> None:
        self.wanted.update(contents)
        written = await asyncio.to_thread(broker_directory.put, self.directory, contents)
        if written:
            log.info("the broker is given credentials", files=written)

    def _is_due(self, stamp: tuple[object, ...], now: datetime) -> bool:
        if stamp != self._stamp or self._tls_at is None:
            return True
        if self._due is not None and now >= self._due:
            return True
        return (now - self._tls_at).total_seconds() >= TLS_EVERY_S

    async def _disconnect(self) -> None:
        """End sessions of certificates that ended, once the broker would not let them in again."""
        if self.broker is None or REVOCATIONS not in self.wanted:
            return
        if not broker_directory.is_applied(self.directory, self.wanted, REVOCATIONS):
            return
        now = to_datetime(self.now())
        async with self.pool.acquire() as connection:
            usernames = await broker_files.to_disconnect(connection, self._revoked, now)
            if usernames:
                await sessions.end(self.broker, usernames)
                await broker_files.disconnected(connection, usernames, now)
                log.info("sessions of certificates that ended are over", devices=len(usernames))
