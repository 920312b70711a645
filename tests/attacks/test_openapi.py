"""The whole API against its own document: nothing undocumented, no error of ours, whatever is sent."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest
from fastapi import FastAPI

from people.roles import Role
from tests.integration.api import builders
from tests.serving import serving

pytestmark = pytest.mark.attack("what the API's document does not say")

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
SHORT = os.environ.get("NABD_ATTACKS", "short") == "short"
EXAMPLES = int(os.environ.get("NABD_ATTACKS_EXAMPLES", 1 if SHORT else 60))
ROLES = (Role.ADMIN,) if SHORT else tuple(Role)
PHASES = "examples,fuzzing" if SHORT else "examples,coverage,fuzzing"
"""`coverage` alone sends thousands of requests."""
SEED = int(os.environ.get("NABD_ATTACKS_SEED", "1"))
ENDLESS = "/api/v1/stream"
"""Answers as long as the caller stays; tests/integration/api/test_stream.py has it."""
LAST = "/api/v1/tokens/{token}/revoke"
"""Would end the token that asks; tests/integration/api/access/test_audited.py has it."""
CALENDAR = "/api/v1/on-call/{schedule}.ics"
"""A PATCH of it is one of a schedule of that name; tests/integration/api/alerting/test_routes.py has it."""


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.timeout(600 if SHORT else 3600)
async def test_answers_are_those_that_the_document_says(
    app: FastAPI, connection: asyncpg.Connection, tmp_path: Path, role: Role
) -> None:
    device = await builders.add(connection, "bin-0007", lat=34.43, lon=35.84)
    await builders.fire(connection, device)
    own_town = None if role is Role.ADMIN else device.municipality
    token = await builders.token(connection, role=role, municipality=own_town)
    print(f"NABD_ATTACKS_SEED={SEED}")
    app.openapi()  # takes longer the first time than schemathesis waits on a busy machine

    async with serving(app) as url:
        fuzzer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/openapi.json"),
            *(
                "--checks",
                ",".join(CHECKS),
                "--exclude-path",
                ENDLESS,
                "--exclude-path",
                LAST,
                "--exclude-path",
                CALENDAR,
            ),
            *("--max-examples", str(EXAMPLES), "--seed", str(SEED), "--phases", PHASES),
            *("--header", f"Authorization: Bearer {token}"),
            *("--workers", "1", "--request-timeout", "30", "--no-color"),
            cwd=tmp_path,  # it keeps what it found there
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await fuzzer.communicate()

    print(said.decode()[-20_000:])
    assert fuzzer.returncode == 0
