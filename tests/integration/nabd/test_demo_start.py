"""How the demo finds out that its platform is ready."""

from __future__ import annotations

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncpg
import pytest

from devices.registry.ground import layers
from devices.registry.ground.feature import Layer
from devices.registry.registry import list_devices
from devices.texts.languages import LANGUAGES
from nabd.demo import simulated, town
from nabd.demo.people import add_townspeople, links_of, on_call_of, team_of
from nabd.settings import Settings
from nabd.supervisor import Supervisor
from notify.routing.load import load
from people.links import use_link
from people.person import list_people
from store.audit import PLATFORM
from tests.integration.devices.town import KINDS, now
from tests.unit.firmware_sim.build import small_town


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_demo_asks_its_platform_past_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ready) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            said = town._get(f"http://127.0.0.1:{server.server_address[1]}/readyz", "token")
        finally:
            server.shutdown()
            serving.join()

    assert said == b"ready"


async def test_demo_s_town_has_districts_and_streets_that_a_person_may_replace(
    connection: asyncpg.Connection,
) -> None:
    made = small_town()

    added = await simulated.register(connection, KINDS, made, now, newcomers=1)
    found = await list_devices(connection, limit=1000)
    await layers.remove_features(connection, made.municipality, Layer.STREETS, None, now, by=PLATFORM)
    again = await simulated.register(connection, KINDS, replace(made, seed=8), now)

    assert added == len(found) == len(made.devices) - 1
    assert [device.name for device in found if device.district is None] == []
    assert {device.street is not None for device in found if device.kind == "light"} == {True}
    assert again == 1
    assert [one.layer for one in await layers.list_layers(connection)] == ["districts"]


async def test_demo_s_town_has_people_in_three_languages_who_sign_in_once_and_are_told(
    connection: asyncpg.Connection,
) -> None:
    made = small_town()
    await simulated.register(connection, KINDS, made, now)

    await add_townspeople(connection, KINDS, made.municipality, now)
    links = await links_of(connection, made.municipality, "http://127.0.0.1:8000", now())

    people = {person.id: person.name for person in await list_people(connection)}
    secrets = [link.url.partition("link=")[2] for link in links]
    later = now() + 11 * 3600 * 1_000_000
    assert [people[await use_link(connection, s, later) or 0] for s in secrets] == [
        link.person.name for link in links
    ]
    assert [await use_link(connection, secrets[0], later)] == [None]
    assert {link.person.language for link in links} == set(LANGUAGES)
    routing = await load(connection)
    technicians = {people[number] for number in routing.teams[team_of(made.municipality)]}
    assert len(technicians) == 2
    assert on_call_of(made.municipality) in routing.schedules
    assert {tuple(one.addresses) for one in routing.receivers.values() if one.name in technicians} == {
        ("email", "ntfy", "sms")
    }


async def test_demo_s_town_is_registered_once_its_platform_hears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a town whose processes start slowly stands there unheard for an hour where its clock runs fast."""
    done = []
    until_ready = town._until_ready

    async def ready(base: str, token: str, supervisor: Supervisor) -> None:
        await until_ready(base, token, supervisor)
        done.append("ready")

    async def register(*_: object, **__: object) -> int:
        done.append("registered")
        raise town.DemoFailed("that is enough")

    monkeypatch.setattr(town, "_until_ready", ready)
    monkeypatch.setattr(simulated, "register", register)
    opening = town.running(
        tmp_path, settings=Settings(http_port=0), speed=120.0, seed=7, past_days=0, tell=lambda _: None
    )

    with pytest.raises(town.DemoFailed, match="that is enough"):
        async with opening:
            pass

    assert done == ["ready", "registered"]
