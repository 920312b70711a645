"""`nabd rollout`: bring an image to devices, stage by stage, and no further than it does good."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.firmware import rollouts, steering
from devices.firmware.rollout import DEFAULT_STAGES, RolloutState
from devices.firmware.rollouts import NewRollout, Rollout, RolloutDevice
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run

app = typer.Typer(no_args_is_help=True, help="Bring firmware to devices, stage by stage.")

Number = Annotated[int, typer.Argument(min=1, help="number of the rollout")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]
STAGES = ",".join(map(str, DEFAULT_STAGES))


@app.command()
def start(
    kind: Annotated[str, typer.Option(help="devices of this kind")],
    version: Annotated[str, typer.Option(help="the version, as `nabd firmware list` shows it")],
    municipality: Annotated[str | None, typer.Option(help="only in this municipality")] = None,
    stages: Annotated[str, typer.Option(help="per cent of all devices after each stage")] = STAGES,
    tolerated: Annotated[int, typer.Option(help="per cent of the reached that may come to harm")] = 10,
    watch: Annotated[str, typer.Option(help="for how long alerts are watched after each stage")] = "1h",
    offer: Annotated[str, typer.Option(help="how long a device may take to answer")] = "1d",
    as_json: Json = False,
) -> None:
    """Start a rollout; it stops by itself when too many devices fail, roll back or raise alerts."""
    shares = [part.strip() for part in stages.split(",")]
    if not all(part.isdecimal() and len(part) <= 3 for part in shares):
        raise typer.BadParameter(f"per cent that grow to 100, such as {STAGES}", param_hint="--stages")
    new = NewRollout(
        kind=kind,
        version=version,
        municipality=municipality,
        stages=tuple(map(int, shares)),
        tolerated_pct=tolerated,
        watch_s=int(values.duration(watch).total_seconds()),
        offer_s=int(values.duration(offer).total_seconds()),
    )

    async def work(opened: OpenDatabase) -> Rollout:
        return await rollouts.start(opened.connection, new, opened.now, by=await opened.actor())

    _say(run(work), as_json=as_json)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 100,
    as_json: Json = False,
) -> None:
    """Show rollouts, the newest first."""

    async def work(opened: OpenDatabase) -> list[Rollout]:
        return await rollouts.list_rollouts(opened.connection, limit=limit)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [
        (r.id, r.kind, r.version, r.municipality, r.state, _stage(r), _counts(r), r.started_at, r.started_by)
        for r in found
    ]
    columns = ("number", "kind", "version", "municipality", "state", "stage", "devices", "started", "by")
    output.table(columns, rows, empty="No rollout yet. `nabd rollout start --help` says how.")


@app.command()
def show(
    number: Number,
    state: Annotated[str | None, typer.Option(help="only devices that stand so, such as failed")] = None,
    as_json: Json = False,
) -> None:
    """Show a rollout and its devices in the order in which they are reached."""

    async def work(opened: OpenDatabase) -> tuple[Rollout, list[RolloutDevice]]:
        found = await rollouts.get_rollout(opened.connection, number)
        return found, await rollouts.list_devices(opened.connection, number, state=state, limit=100_000)

    found, devices = run(work)
    if as_json:
        output.print_json({"rollout": found, "devices": devices})
        return
    _say(found, as_json=False)
    rows = [(d.device, d.stage + 1, d.state, d.firmware, d.alerted or None, d.detail) for d in devices]
    output.table(("device", "stage", "state", "firmware", "alerted", "detail"), rows, empty="None stands so.")


@app.command()
def pause(number: Number, as_json: Json = False) -> None:
    """Reach no more devices; those that have begun end what they do."""
    _steer(number, RolloutState.PAUSED, as_json=as_json)


@app.command()
def resume(number: Number, as_json: Json = False) -> None:
    """Go on with a rollout that is paused or has stopped; then what failed before the stop is tried again."""
    _steer(number, RolloutState.RUNNING, as_json=as_json)


@app.command()
def cancel(number: Number, as_json: Json = False) -> None:
    """End a rollout for good; what is updated stays so."""
    _steer(number, RolloutState.CANCELLED, as_json=as_json)


def _steer(number: int, state: RolloutState, *, as_json: bool) -> None:
    async def work(opened: OpenDatabase) -> Rollout:
        return await steering.steer(opened.connection, number, state, opened.now, by=await opened.actor())

    _say(run(work), as_json=as_json)


def _say(found: Rollout, *, as_json: bool) -> None:
    if as_json:
        output.print_json(found)
        return
    why = f": {found.detail}" if found.detail else ""
    output.line(
        f"Rollout {found.id}, {found.kind} {found.version} to {found.devices} devices, is {found.state}{why}"
        f" (stage {_stage(found)}; {_counts(found)})."
    )
    if found.left_out:
        output.line(
            f"{found.left_out} devices are left out: they have no password to fetch it with;"
            " `nabd device rotate` gives them one."
        )


def _stage(found: Rollout) -> str:
    return f"{found.stage + 1} of {len(found.stages)}, {found.stages[found.stage]} %"


def _counts(found: Rollout) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(found.counts.items()))
