"""Which pictures are drawn of what was measured: those that there is something to draw for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import TypeVar

from bench.charts.bars import Bar, BarChart, BarSection, BarShade, svg
from bench.results.files import same, same_code, same_machine
from bench.results.summary import IngestRuns, IngestSummary
from bench.throughput.drain import Drain
from bench.throughput.open_loop import OpenLoop
from bench.throughput.raw_copy import RawCopy

Run = TypeVar("Run")

_PROCESSES = ("ingest", "broker", "database")
_PEERS = {
    "pipe": "mosquitto_sub | psql",
    "telegraf": "Telegraf",
    "careful": "careful: batches of 1,000",
    "naive": "naive: one INSERT a message",
}


def pictures(summaries: Sequence[IngestSummary]) -> dict[str, str]:
    """Return the text of each picture by its name, those of one sort of traffic and rules together.

    The first line of a sort says of which fleet its pictures are; lines of other fleets count for that of
    devices alone. A size that lines measured with more or fewer messages is drawn as the first of them says.

    Raises:
        NotComparable: what would be drawn as one was measured differently.
    """
    same_machine(summaries)
    groups: dict[str, list[IngestSummary]] = {}
    for one in summaries:
        sort = one.traffic if one.rules == "default" else f"{one.traffic}-rules-{one.rules}"
        groups.setdefault(sort, []).append(one)
    found: dict[str, str] = {}
    for sort, group in groups.items():
        same(("seed", "commit"), group)
        same_code(group)
        own = [one for one in group if one.devices == group[0].devices and _has_more_than_fleets(one.runs)]
        same(("messages",), own)
        same(("open_seconds",), [one for one in own if one.runs.open])
        runs = replace(_joined([one.runs for one in own]), fleets=_fleets(group))
        for name, chart in _charts(runs):
            drawn = [section for section in chart.sections if section.bars]
            if sum(len(section.bars) for section in drawn) > 1:
                by_devices = name == "devices"
                lines = _lines(group if by_devices else own, by_devices=by_devices)
                found[f"{name}-{sort}.svg"] = svg(replace(chart, lines=lines, sections=drawn))
    return found


def _has_more_than_fleets(runs: IngestRuns) -> bool:
    return any((runs.recorded, runs.copy, runs.drain, runs.open, runs.peers))


def _joined(every: Sequence[IngestRuns]) -> IngestRuns:
    return IngestRuns(
        recorded=[run for one in every for run in one.recorded],
        copy=_by_key(one.copy for one in every),
        drain=[run for one in every for run in one.drain],
        open=_by_key(one.open for one in every),
        peers=[peer for one in every for peer in one.peers],
    )


def _fleets(group: Sequence[IngestSummary]) -> dict[str, list[Drain]]:
    """Return drains by devices: of stage fleets, and of lines of other fleets than the first."""
    messages: dict[str, int] = {}
    found: dict[str, list[Drain]] = {}
    for one in group:
        other = {str(one.devices): one.runs.drain} if one.devices != group[0].devices else {}
        for size, drains in (other | one.runs.fleets).items():
            if drains and messages.setdefault(size, one.messages) == one.messages:
                found.setdefault(size, []).extend(drains)
    return found


def _by_key(mappings: Iterable[dict[str, list[Run]]]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for mapping in mappings:
        for key, runs in mapping.items():
            found.setdefault(key, []).extend(runs)
    return found


def _lines(group: Sequence[IngestSummary], *, by_devices: bool) -> list[str]:
    first = group[0]
    machine = first.machine
    rules = {"default": "default rules", "off": "rules off"}.get(first.rules, f"{first.rules} rules a kind")
    devices = " and ".join(f"{n:,}" for n in dict.fromkeys(one.devices for one in group))
    messages = " and ".join(f"{n:,}" for n in dict.fromkeys(one.messages for one in group))
    commits = ", ".join(dict.fromkeys(one.commit for one in group))
    traffic = f"{first.traffic} traffic" if by_devices else f"{first.traffic} traffic of {devices} devices"
    servers = f"PostgreSQL {machine['postgres']}, mosquitto {machine['mosquitto']}"
    return [
        f"{traffic}, {rules}, {messages} messages a run",
        f"{machine['cpu']}, {machine['cores']} cores, {servers}; commit {commits}",
        "medians of all runs; thin lines: lowest to highest",
    ]


def _charts(runs: IngestRuns) -> Iterator[tuple[str, BarChart]]:
    def chart(title: str, unit: str, sections: Sequence[BarSection]) -> BarChart:
        return BarChart(title=title, lines=(), unit=unit, sections=sections)

    yield "cost", chart("What a message costs", "microseconds of CPU a message", _costs(runs))
    yield "rates", chart("How fast a backlog is stored", "messages a second", _rates(runs))
    yield "latency", chart("How long until a message is committed", "milliseconds", _latencies(runs))
    yield (
        "slowest",
        chart("Where the slowest 1 % of messages spent their time", "milliseconds", _slowest(runs)),
    )
    yield "devices", chart("How fast a backlog is stored, by devices", "messages a second", _devices(runs))


def _costs(runs: IngestRuns) -> list[BarSection]:
    processes = [_bar(name, [run.cpu_us[name] for run in runs.drain]) for name in _PROCESSES if runs.drain]
    steps = [step for step in (runs.recorded[0].cpu_us if runs.recorded else {}) if step != "sum"]
    recorded = [_bar(step, [run.cpu_us[step] for run in runs.recorded]) for step in steps]
    copy = _best_copy(runs)
    database = [_bar("database", [run.database_cpu_us for run in copy[1]], BarShade.OTHERS)] if copy else []
    return [
        BarSection(heading="Draining, by process", bars=processes),
        BarSection(heading="Of ingest, by step, from a recorded stream", bars=recorded),
        BarSection(heading=f"Raw COPY, {copy[0]} a batch" if copy else "", bars=database),
    ]


def _rates(runs: IngestRuns) -> list[BarSection]:
    bars = []
    if copy := _best_copy(runs):
        rates = [run.messages_per_s for run in copy[1]]
        bars.append(_bar(f"raw COPY, {copy[0]} a batch", rates, BarShade.OTHERS))
    if runs.drain:
        bars.append(_drained("Nabd, drain", runs.drain))
    for name, title in _PEERS.items():
        found = [p.messages_per_s for p in runs.peers if p.name == name and not p.absent and not p.lost]
        bars += [_bar(title, found, BarShade.OTHERS)] if found else []
    return [BarSection(heading="", bars=bars)]


def _latencies(runs: IngestRuns) -> list[BarSection]:
    sections = []
    for label, loops in runs.open.items():
        bars = []
        for until in ("commit", "alert"):
            for name, shade in (("p50", BarShade.OURS), ("p99", BarShade.STRONG)):
                ms = [(loop.commit_ms if until == "commit" else loop.alert_ms)[name] for loop in loops]
                known = [one for one in ms if one is not None]
                bars += [_bar(f"to {until}, {name}", known, shade)] if known else []
        sections.append(BarSection(heading=_rate(label, loops), bars=bars))
    return sections


def _slowest(runs: IngestRuns) -> list[BarSection]:
    sections = []
    for label, loops in runs.open.items():
        known = [loop.slowest_path_ms for loop in loops if loop.slowest_path_ms]
        bars = [_bar(part, [path[part] for path in known]) for part in (known[0] if known else ())]
        sections.append(BarSection(heading=_rate(label, loops), bars=bars))
    return sections


def _devices(runs: IngestRuns) -> list[BarSection]:
    sizes = sorted(runs.fleets, key=int)
    bars = [_drained(f"{int(size):,} devices", runs.fleets[size]) for size in sizes]
    return [BarSection(heading="", bars=bars)]


def _best_copy(runs: IngestRuns) -> tuple[str, list[RawCopy]] | None:
    """Return the batch size at which raw COPY was fastest, and its runs."""
    if not runs.copy:
        return None
    size = max(runs.copy, key=lambda size: median(run.messages_per_s for run in runs.copy[size]))
    return f"{int(size):,}", runs.copy[size]


def _drained(name: str, drains: Sequence[Drain]) -> Bar:
    return _bar(name, [run.messages_per_s for run in drains], BarShade.STRONG)


def _rate(label: str, loops: Sequence[OpenLoop]) -> str:
    rate = f"{median(loop.rate for loop in loops):,.0f}/s"
    return f"At {label}" if label == rate else f"At {label}: {rate}"


def _bar(name: str, values: Sequence[float], shade: BarShade = BarShade.OURS) -> Bar:
    return Bar(name=name, value=median(values), low=min(values), high=max(values), shade=shade)
