"""Spans reach a real collector's door, name no device and no person, and are not there unless asked for."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import asyncpg
import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from structlog.testing import capture_logs

from api.app import create_app
from nabd.embedded.broker import free_port
from nabd.settings import Settings, environment
from nabd.supervisor import Child, Supervisor
from nabd.watching.traces import traces_of
from nabd.watching.tracing import Traces
from notify.message import NotificationMessage, Undelivered
from tests.integration.api import builders
from tests.waiting import eventually


@dataclass
class Collector:
    """Takes spans over HTTP, as OTLP says."""

    url: str = ""
    status: int = 200
    spans: list[Span] = field(default_factory=list)


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found.spans += scope.spans
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield found
        server.shutdown()
        serving.join()


class Refusing:
    """A channel whose service names the addressee when it refuses."""

    name = "sms"

    async def send(self, message: NotificationMessage, to: str) -> str:
        raise Undelivered(f"no such number: {to}", permanent=True)

    async def close(self) -> None:
        pass


ERROR = Status.STATUS_CODE_ERROR


async def _fail(*_: object) -> NoReturn:
    raise ValueError("no such number: +96171234567")


async def test_batches_requests_and_deliveries_are_spans(
    pool: asyncpg.Pool, connection: asyncpg.Connection, collector: Collector
) -> None:
    await builders.let_in(pool)
    await builders.add(connection, "bin-1")
    traces = Traces(collector.url, "api")
    app = traces.app(create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=False))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=builders.BEARER
    ) as client:
        assert (await client.get("/api/v1/devices/bin-1")).status_code == 200
        assert (await client.get("/api/v1/devices/bin-2")).status_code == 404
    message: NotificationMessage = None  # type: ignore[assignment]  # never looked at
    with pytest.raises(Undelivered):
        await traces.channel(Refusing()).send(message, "+96171234567")
    with traces.batch(250):
        pass
    with pytest.raises(ValueError, match="bin-1"), traces.batch(1):
        raise ValueError("no number: {'device': 'bin-1'}")
    broken = traces.app(_fail)
    with pytest.raises(ValueError, match="71234567"):
        await broken({"type": "http", "method": "GET"}, _fail, _fail)
    traces.close()

    named = [span.name for span in collector.spans]
    assert named == ["GET /devices/{device}"] * 2 + ["deliver sms", "ingest batch", "ingest batch", "GET"]
    failed = [(one.status.message, one.status.code) for one in collector.spans if one.status.message]
    assert failed == [("Undelivered", ERROR), ("ValueError", ERROR), ("ValueError", ERROR)]
    assert not any(one.events for one in collector.spans)
    values = {one.key: one.value for one in collector.spans[3].attributes}
    assert values["messaging.batch.message_count"].int_value == 250
    assert all(span.end_time_unix_nano > span.start_time_unix_nano for span in collector.spans)
    told = str(collector.spans)
    assert [word for word in ("bin-1", "bin-2", "71234567", builders.TOKEN) if word in told] == []


def test_collector_that_is_away_is_told_once_and_delays_nothing(collector: Collector) -> None:
    collector.status = 400
    traces = Traces(collector.url, "ingest")
    with capture_logs() as logs:
        for _ in range(3):
            with traces.batch(1):
                pass
            traces._provider.force_flush()
        collector.status = 200
        with traces.batch(1):
            pass
        traces.close()

    assert [one["event"] for one in logs] == [
        "traces are not taken: NABD_TRACES_ENDPOINT",
        "traces are taken again",
    ]


async def test_the_api_process_sends_its_spans_and_ends_well(
    dsn: str, collector: Collector, tmp_path: Path
) -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=dsn,
        data_dir=tmp_path,
        http_port=free_port(),
        traces_endpoint=collector.url,
    )
    child = Child(name="api", arguments=["api"], log=tmp_path / "api.log")
    async with Supervisor(environment(settings)) as supervisor:
        await supervisor.start(child)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{settings.http_port}") as client:

            async def alive() -> bool:
                try:
                    return (await client.get("/healthz")).status_code == 200
                except httpx2.TransportError:
                    return False

            await eventually(alive)

    assert child.process is not None
    assert child.process.returncode == 0, child.log.read_text()
    assert "GET /healthz" in {span.name for span in collector.spans}


def test_without_an_endpoint_nothing_is_loaded() -> None:
    assert traces_of(Settings(), "ingest") is None
    program = (
        "import sys, nabd.processes, nabd.notifying;"
        " print([m for m in ('opentelemetry', 'requests', 'nabd.watching.tracing') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
