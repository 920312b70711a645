"""What an operator is told when a part is missing at start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2

from nabd.doctor.machine import check_port
from nabd.embedded.broker import free_port
from nabd.settings import Settings, environment
from nabd.supervisor import Child, Supervisor
from tests.integration.api import builders
from tests.waiting import eventually


async def test_the_api_says_that_the_database_is_missing_when_nothing_is_there(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=f"postgresql://nobody@127.0.0.1:{free_port()}/nabd",
        broker=f"mqtt://127.0.0.1:{free_port()}",
        data_dir=tmp_path,
        http_port=free_port(),
    )
    async with Supervisor(environment(settings)) as supervisor:
        await supervisor.start(Child(name="api", arguments=["api"], log=tmp_path / "api.log"))
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{settings.http_port}", timeout=10) as http:

            async def answer() -> httpx2.Response | None:
                try:
                    return await http.get("/readyz", headers=builders.BEARER)
                except httpx2.TransportError:
                    return None

            found = await eventually(answer)

            # Without a database nobody can be told from a stranger, who is told no more than this.
            assert found.status_code == 503
            assert found.json()["type"] == "urn:nabd:problem:unavailable"
            assert "database" in found.json()["detail"]
            assert (await http.get("/healthz")).status_code == 200
            port = await asyncio.to_thread(check_port, settings)
            assert port.said == f"nabd api answers on 127.0.0.1:{settings.http_port}"


async def test_ingest_waits_for_a_database_that_is_not_there_and_says_so_once(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=f"postgresql://nobody@127.0.0.1:{free_port()}/nabd",
        broker=f"mqtt://127.0.0.1:{free_port()}",
        data_dir=tmp_path,
    )
    log = tmp_path / "ingest.log"
    async with Supervisor(environment(settings)) as supervisor:
        child = Child(name="ingest", arguments=["ingest"], log=log)
        await supervisor.start(child)

        async def told() -> bool:
            return "waiting for the database" in log.read_text(encoding="utf-8")

        await eventually(told)

    assert log.read_text(encoding="utf-8").count("waiting for the database") == 1
    assert child.process is not None
    assert child.process.returncode == 0
