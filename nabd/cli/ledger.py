"""`nabd ledger`: where every reading received has gone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from devices.instants import to_datetime
from devices.registry import registry
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.settings import retention_of
from readings import balance, ledger, said_names
from readings.balance import SequenceGap
from readings.ledger import Period, Totals
from readings.said_names import SaidNames
from store.tables import Resolution

EXPLAINED = (
    "received = stored + merged + duplicate + rejected. Stored: committed as a row. Merged: a further part "
    "of a stored reading, which it filled. Duplicate: the same device at the same instant was stored before. "
    "Rejected: not stored; reason and bytes are in `nabd rejections`. "
    "Undated: stored at the time of receipt, because the device gave no usable time. "
    "Empty: stored without any measurement, because its names are none of its kind's."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerResult:
    """What the ledger says: totals, and what was asked for beside them."""

    totals: Totals
    periods: list[Period] = field(default_factory=list)
    gaps: list[SequenceGap] = field(default_factory=list)
    names: SaidNames | None = None


def show(
    device: Annotated[str | None, typer.Option(help="only this device, and its gaps in boot and seq")] = None,
    municipality: Annotated[str | None, typer.Option(help="only this municipality's devices")] = None,
    since: Annotated[str | None, typer.Option(help="from 24h or 7d ago, or an RFC 3339 instant")] = None,
    until: Annotated[str | None, typer.Option(help="until then, written in the same way")] = None,
    every: Annotated[str | None, typer.Option(help="also by periods of 15m, 1h, 1d, …")] = None,
    count: Annotated[
        bool, typer.Option("--count", help="also count the rows of readings; can be slow")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Account for every reading received; exits with 1 if one is unaccounted for."""
    if device is not None and municipality is not None:
        raise typer.BadParameter("--device and --municipality exclude each other")
    if count and (device or municipality or since or until):
        raise typer.BadParameter("--count compares all there is: use it without other limits")
    if every and (device or municipality):
        raise typer.BadParameter("--every is for the whole platform: leave --device and --municipality out")

    async def work(opened: OpenDatabase) -> LedgerResult:
        now = opened.now()
        span = (values.instant(since, now), values.instant(until, now))
        if device is not None:
            return await _of_device(opened, device, *span)
        if municipality is not None:
            return await _of_municipality(opened, municipality, *span)
        return await _of_platform(opened, *span, every=every, count=count)

    result = run(work)
    if as_json:
        output.print_json(_document(result))
    else:
        _print(result)
    if not result.totals.balanced:
        raise typer.Exit(1)


async def _of_device(
    opened: OpenDatabase, name: str, since: datetime | None, until: datetime | None
) -> LedgerResult:
    device = await registry.get_device(opened.connection, name)
    totals = await balance.of_device(opened.connection, opened.kinds, device, since=since, until=until)
    gaps = await balance.gaps(opened.connection, device, since=since)
    kind = opened.kinds.get(device.kind)
    if kind is None:
        return LedgerResult(totals=totals, gaps=gaps)
    end = until or to_datetime(opened.now())
    names = await said_names.of_device(opened.connection, kind, device.id, since=since, until=end)
    return LedgerResult(totals=totals, gaps=gaps, names=names)


async def _of_municipality(
    opened: OpenDatabase, name: str, since: datetime | None, until: datetime | None
) -> LedgerResult:
    found = await registry.get_municipality(opened.connection, name)
    totals = await balance.of_municipality(
        opened.connection, opened.kinds, found.id, since=since, until=until
    )
    return LedgerResult(totals=totals)


async def _of_platform(
    opened: OpenDatabase, since: datetime | None, until: datetime | None, *, every: str | None, count: bool
) -> LedgerResult:
    periods: list[Period] = []
    # One snapshot, so that a batch committed between two queries cannot look like a loss.
    async with opened.connection.transaction(isolation="repeatable_read", readonly=True):
        totals = await ledger.total(opened.connection, since=since, until=until)
        if count:
            counted = await balance.count_readings(opened.connection, opened.kinds)
            totals = replace(totals, counted=counted, dropped=await _may_be_dropped(opened))
        if every:
            length = values.duration(every)
            periods = await ledger.by_period(opened.connection, every=length, since=since, until=until)
    return LedgerResult(totals=totals, periods=periods)


async def _may_be_dropped(opened: OpenDatabase) -> bool:
    """Tell whether readings were received so long ago that some may have left the tables."""
    kept = timedelta(days=opened.settings.retention_days)
    of_kinds = retention_of(opened.settings).of_kinds.values()
    shortest = min([kept, *(lengths.get(Resolution.READING, kept) for lengths in of_kinds)])
    first = await ledger.first_received(opened.connection)
    return first is not None and first < to_datetime(opened.now()) - shortest


def _document(result: LedgerResult) -> dict[str, Any]:
    return {
        **asdict(result.totals),
        "balanced": result.totals.balanced,
        "periods": [
            {"start": p.start, **asdict(p.totals), "balanced": p.totals.balanced} for p in result.periods
        ],
        "gaps": result.gaps,
        "names": result.names and asdict(result.names),
    }


def _print(result: LedgerResult) -> None:
    totals = result.totals
    columns = (
        "messages",
        "received",
        "stored",
        "merged",
        "duplicate",
        "rejected",
        "undated",
        "empty",
        "counted",
        "balanced",
    )
    output.table(columns, [_row(totals, columns)])
    output.line(EXPLAINED)
    if totals.counted is not None and totals.dropped:
        output.line("Rows that are older than readings are kept are not counted; the sums hold them.")
    if totals.reasons:
        output.table(("rejected because", "readings"), sorted(totals.reasons.items()))
    if result.periods:
        rows = [(p.start, *_row(p.totals, columns)) for p in result.periods]
        output.table(("from", *columns), rows)
    if result.gaps:
        rows = [(g.boot, g.first, g.last, g.last - g.first + 1, g.after, g.before) for g in result.gaps]
        output.table(("boot", "first missing", "last missing", "count", "after", "before"), rows)
    if result.names is not None:
        known = [(name, n, "measurement") for name, n in result.names.measured.items()]
        other = [(name, n, result.names.hints.get(name, "kept")) for name, n in result.names.extra.items()]
        output.table(("name", "readings", "is"), [*known, *other])
    if not totals.balanced:
        output.complain("the ledger does not balance: a reading is unaccounted for; run `nabd doctor`")


def _row(totals: Totals, columns: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(
        ("yes" if totals.balanced else "NO") if column == "balanced" else getattr(totals, column)
        for column in columns
    )
