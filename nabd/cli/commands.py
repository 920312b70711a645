"""All commands by name, in the order of `nabd --help`. The file of one is read when it is asked for.

Reading all of them takes seconds, which nobody who starts one process or asks one thing should wait for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

FILES: Mapping[str, str] = {
    "demo": "demo:run",
    "up": "run:up",
    "ingest": "run:ingest",
    "sweep": "run:sweep",
    "api": "run:api",
    "notify": "alerting.notify:app",
    "bridge": "run:bridge",
    "sim": "run:sim",
    "init": "installing.init:init",
    "config": "installing.config:app",
    "install": "installing.install:app",
    "migrate": "run:migrate",
    "alive": "installing.alive:alive",
    "doctor": "operating.doctor:show",
    "backup": "operating.backup:app",
    "restore": "operating.restore:restore",
    "watch": "operating.watch:app",
    "ledger": "ledger:show",
    "rejections": "rejections:rejections",
    "tail": "tail:tail",
    "validate": "validate:validate",
    "profile": "devices.profile:app",
    "device": "device:app",
    "source": "devices.sources:app",
    "firmware": "devices.firmware:app",
    "rollout": "devices.rollouts:app",
    "command-request": "devices.requests:app",
    "municipality": "municipality:app",
    "shard": "storage.shard:app",
    "user": "people.user:app",
    "token": "people.token:app",
    "bench": "bench:app",
    "rule": "rules.rule:app",
    "maintenance": "maintenance:app",
    "route": "routing.route:app",
    "team": "routing.team:app",
    "on-call": "routing.on_call:app",
    "alert": "alerting.alert:app",
    "silence": "alerting.silence:app",
    "work": "work.orders:app",
    "work-plan": "work.plans:app",
    "calendar": "work.calendar:app",
    "sla": "work.targets:app",
    "figures": "work.figures:show",
    "report": "work.report:app",
    "audit": "people.audit:app",
    "grafana": "grafana.grafana:app",
    "tls": "tls:app",
    "store": "storage.store:app",
    "export": "storage.export:app",
}
"""Module below nabd.cli, and what it has: a function is one command, a Typer a group of them."""


class CommandTable(Mapping[str, Any]):
    """Commands as the parser knows them, each made the first time that it is looked up."""

    def __getitem__(self, name: str) -> Any:
        return _made(name)

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


class CommandGroup(TyperGroup):
    """The group of all commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = CommandTable()  # type: ignore[assignment]


@cache
def _made(name: str) -> Any:
    module, _, member = FILES[name].partition(":")
    found = getattr(import_module(f"nabd.cli.{module}"), member)
    alone = typer.Typer()
    alone.callback()(_nothing)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    return typer.main.get_group(alone).commands[name]


def _nothing() -> None:
    """Make a group of what would else be a command alone."""
