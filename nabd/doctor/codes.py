"""The number of each check: what documents, tickets and scripts call it, whatever its words become.

N1 this machine, N2 signing in, N3 the broker, N4 the database, N5 ingest, N6 rules, N7 telling people, N8 the
registry, N9 what is kept. A number is never given twice.
"""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "kinds": "N101",
    "disk": "N102",
    "photos": "N103",
    "map tiles": "N104",
    "clock": "N105",
    "port": "N106",
    "profiles": "N107",
    "compiled code": "N108",
    "oidc": "N201",
    "certificates": "N202",
    "https": "N203",
    "broker files": "N303",
    "sign ins": "N304",
    "broker": "N301",
    "topics": "N302",
    "database": "N401",
    "database account": "N402",
    "schema": "N403",
    "durability": "N404",
    "time zones": "N405",
    "TimescaleDB": "N406",
    "replica": "N407",
    "ingest": "N501",
    "session": "N502",
    "ledger": "N503",
    "quotas": "N504",
    "sources": "N505",
    "codecs": "N506",
    "partly read": "N507",
    "rules": "N601",
    "blind rules": "N602",
    "notify": "N701",
    "annotations": "N702",
    "places": "N801",
    "planned": "N802",
    "configuration": "N803",
    "retention": "N901",
    "rollups": "N902",
    "backup": "N903",
}
"""Checks by what they look at."""

UNNUMBERED = "N000"
