"""Files of lines that `nabd bench ingest --json` has printed, and whether they may be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench.results.summary import IngestSummary
from bench.throughput.drain import Drain
from bench.throughput.long_run import LongRun
from bench.throughput.open_loop import OpenLoop

SAME = ("traffic", "rules", "messages", "devices", "seed", "open_seconds")
MACHINE = ("cpu", "cores", "memory", "kernel", "python", "postgres", "mosquitto")


class NotComparable(Exception):
    """What was measured cannot be read, or says nothing beside the rest; the text says why."""


def read(file: Path) -> list[IngestSummary]:
    """Return what a file holds, one line each.

    Raises:
        NotComparable: it cannot be read, or a line was not printed by this command.
    """
    try:
        lines = [line for line in file.read_bytes().splitlines() if line.strip()]
        found = [msgspec.json.decode(line, type=IngestSummary) for line in lines]
    except OSError as error:
        raise NotComparable(f"{file}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise NotComparable(
            f"{file}: not lines that `nabd bench ingest --json` of this version prints ({error})"
        ) from error
    if not found:
        raise NotComparable(f"{file}: empty")
    for number, one in enumerate(found, start=1):
        _balanced(f"{file}, line {number}", one)
    return found


def same(names: Sequence[str], summaries: Sequence[IngestSummary]) -> None:
    """Refuse summaries that differ in a member.

    Raises:
        NotComparable: it names what differs.
    """
    for name in names:
        _same(name.replace("_", " "), [str(getattr(one, name)) for one in summaries])


def same_machine(summaries: Sequence[IngestSummary]) -> None:
    """Refuse what was measured on different machines, or with other servers.

    Raises:
        NotComparable: it names what differs.
    """
    for name in MACHINE:
        _same(name, [one.machine.get(name, "unknown") for one in summaries])


def same_work(summaries: Sequence[IngestSummary]) -> None:
    """Refuse different machines, messages, devices or rules, and compiled code beside none.

    Raises:
        NotComparable: it names what differs.
    """
    same_code(summaries)
    same(SAME, summaries)
    same_machine(summaries)


def same_code(summaries: Sequence[IngestSummary]) -> None:
    """Refuse what was measured with compiled code beside what was measured without; unknown goes with both.

    Raises:
        NotComparable: both are there.
    """
    told = [one.compiled for one in summaries if one.compiled is not None]
    _same("compiled code", ["with" if one else "without" for one in told])


def _same(name: str, values: Sequence[str]) -> None:
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        raise NotComparable(f"{name} differs: {' and '.join(different)}; measure both alike")


def _balanced(where: str, one: IngestSummary) -> None:
    for name, run in _runs(one):
        became = run.stored + run.merged + run.duplicates + run.rejected
        if run.lost or run.sent != became:
            raise NotComparable(
                f"{where}: {name}: {run.sent} readings were sent, of {became} is known what became of them:"
                " what loses readings is not measured"
            )


def _runs(one: IngestSummary) -> Iterator[tuple[str, Drain | OpenLoop | LongRun]]:
    runs = one.runs
    stages: dict[str, Sequence[Drain | OpenLoop | LongRun]] = {
        "drain": runs.drain,
        **{f"drain, {devices} devices": found for devices, found in runs.fleets.items()},
        **{f"drain, rules {rules}": found for rules, found in runs.rules.items()},
        "drain with rollups": runs.with_rollups,
        "drain without rollups": runs.without_rollups,
        **{f"open loop at {rate}": found for rate, found in runs.open.items()},
        "long run": runs.long,
    }
    for name, found in stages.items():
        for number, run in enumerate(found, start=1):
            yield f"{name}, run {number}", run
