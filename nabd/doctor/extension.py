"""Whether TimescaleDB is the version that its server has: after an upgrade each database is told so."""

from __future__ import annotations

from devices.texts.translated import say
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from store.connection import Connection
from store.edition import Edition, stored

_VERSIONS = """
SELECT installed_version, default_version FROM pg_available_extensions WHERE name = 'timescaledb'
"""


async def check_extension(connection: Connection, _: Settings) -> CheckResult:
    """Check the extension's version in this database, on the edition that has it."""
    if await stored(connection) is Edition.PLAIN:
        return fine("TimescaleDB", say("check.extension_none"))
    row = await connection.fetchrow(_VERSIONS)
    assert row is not None
    return judged(row["installed_version"], row["default_version"])


def judged(here: str, newest: str) -> CheckResult:
    """Return what two versions of the extension mean: of this database, and what its server would make."""
    if here == newest:
        return fine("TimescaleDB", say("check.extension_same", here=here))
    older = say("check.extension_older", here=here, newest=newest)
    return note("TimescaleDB", older, say("check.update_extension"))
