"""What became of a batch's readings, for the ledger, the receipts and whoever consumes new rows.

Pure. Must not know the database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from devices.columns import MISSING, Columns, joined
from devices.kinds.kind import UNDATED
from devices.wire import channels
from devices.wire.topics import Channel, device_level
from ingest.decide.batch import Batch, Refused
from ingest.decide.clocks import Learnt
from ingest.decide.directory import Directory
from readings.ledger import DUPLICATE, MERGED, BatchCounts

RANGES = 1_000
"""Most ranges in one receipt."""
Run = tuple[int, int]
"""The first and the last of numbers that follow each other."""
Refusal = tuple[int, str, str]
"""Number, reason, and JSON pointer into the element."""


@dataclass(slots=True, kw_only=True)
class Settled:
    """The batch after the tables have answered.

    stored: new rows by kind.
    filled: by kind, what parts made of readings that were stored before: the whole reading, with message and
        number of the part. Rules see these and the new rows, nothing else.
    duplicates: rows that the batch or the tables had already, by kind.
    refused: every rejection, those of the tables included.
    receipts: topic and payload of what to publish once this is committed.
    surprises: rows that were stored already although nothing pointed to it.
    learnt: clock offsets that are stored now.
    """

    stored: dict[str, Columns] = field(default_factory=dict)
    filled: dict[str, Columns] = field(default_factory=dict)
    duplicates: list[Columns] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    receipts: list[tuple[str, bytes]] = field(default_factory=list)
    surprises: int = 0
    learnt: Learnt = field(default_factory=list)

    def news(self) -> list[Columns]:
        """Return what is new of each kind that has news, in arrival order."""
        if not self.filled:
            return [columns for columns in self.stored.values() if len(columns)]
        found = []
        for kind, columns in self.stored.items():
            if kind in self.filled:
                columns = joined([columns, self.filled[kind]])
                # Stable: what a part has filled comes after what it fills.
                columns = columns.take(np.lexsort((columns.observed_at, columns.message)))
            if len(columns):
                found.append(columns)
        return found

    def joined(self, other: Settled) -> Settled:
        """Return what became of two parts of one intake, as far as the publisher must hear of it."""
        return Settled(receipts=self.receipts + other.receipts)


MOST_STRANGERS = 1_000
"""Names that are not registered and have lines of their own in the ledger of one batch."""


def count(settled: Settled, batch: Batch, directory: Directory, *, shard: str, number: int) -> BatchCounts:
    """Return the batch's line of the ledger."""
    by_device: Counter[tuple[str, str]] = Counter()
    for device, n in _by_device(settled.duplicates, batch, directory):
        by_device[device, DUPLICATE] += n
    for refused in settled.refused:
        by_device[refused.device, refused.rejected.reason] += refused.rejected.readings
    for device, n in _by_device(settled.filled.values(), batch, directory):
        by_device[device, MERGED] += n
    stored = list(settled.stored.values())
    n_merged = sum(map(len, settled.filled.values()))
    n_stored, n_duplicate = sum(map(len, stored)), sum(map(len, settled.duplicates))
    n_rejected = sum(r.rejected.readings for r in settled.refused)
    return BatchCounts(
        shard=shard,
        batch=number,
        source=batch.intake.origin,
        received_at=int(batch.intake.received_at[-1]),
        oldest_observed_at=min((int(c.observed_at.min()) for c in stored if len(c)), default=None),
        messages=len(batch.intake),
        received=n_stored + n_merged + n_duplicate + n_rejected,
        stored=n_stored,
        merged=n_merged,
        duplicate=n_duplicate,
        rejected=n_rejected,
        undated=sum(int(np.count_nonzero(c.quality & UNDATED)) for c in stored),
        empty=sum(int(np.count_nonzero(c.empty())) for c in stored),
        by_device=_few_strangers({key: n for key, n in by_device.items() if n}, directory),
    )


def _by_device(parts: Iterable[Columns], batch: Batch, directory: Directory) -> Iterator[tuple[str, int]]:
    """Yield the name of each device and how many rows are its own; of each part by itself."""
    for columns in parts:
        ids, first, counts = np.unique(columns.device_id, return_index=True, return_counts=True)
        messages = columns.message[first]
        for device_id, message, n in zip(ids.tolist(), messages.tolist(), counts.tolist(), strict=True):
            source = batch.sources[message]
            # A device that publishes itself is known already; to ask the registry for it takes longer.
            yield source.name if source.device_id == device_id else directory.device(device_id).name, n


def _few_strangers(
    by_device: dict[tuple[str, str], int], directory: Directory
) -> Mapping[tuple[str, str], int]:
    """Return the counts, those of names beyond MOST_STRANGERS that are not registered under no name."""
    if len(by_device) <= MOST_STRANGERS:
        return by_device
    found: Counter[tuple[str, str]] = Counter()
    strangers = 0
    for (device, outcome), readings in by_device.items():
        registered = device in directory.registry.by_name
        strangers += not registered
        found[device if registered or strangers <= MOST_STRANGERS else "", outcome] += readings
    return found


def receipts(settled: Settled, batch: Batch, directory: Directory) -> list[tuple[str, bytes]]:
    """Return the receipts to publish: who numbers readings is told which of them are settled."""
    topics = batch.intake.topics
    runs: dict[tuple[str, str, int], list[Run]] = {}
    for message, device, boot, run in _runs(settled, batch, directory):
        key = topics[message], device, boot
        if (others := runs.get(key)) is None:
            runs[key] = [run]
        else:
            others.append(run)
    refusals: defaultdict[tuple[str, str, int], list[Refusal]] = defaultdict(list)
    for message, device, boot, refusal in _refusals(settled, batch, directory):
        refusals[topics[message], device, boot].append(refusal)
    found = []
    for key in dict.fromkeys((*runs, *refusals)) if refusals else runs:
        published_on, device, boot = key
        topic = f"{published_on.rpartition('/')[0]}/{Channel.RECEIPT}"
        own, refused = runs.get(key, []), refusals.get(key, ())
        # One run is what nearly every receipt is of.
        parts = [(own, refused)] if len(own) == 1 and not refused else split(own, refused)
        found += [
            (topic, channels.receipt(channels.Receipt(device, boot, told, rejected)))
            for told, rejected in parts
        ]
    return found


def _runs(settled: Settled, batch: Batch, directory: Directory) -> Iterator[tuple[int, str, int, Run]]:
    """Yield message, device, boot and a run of numbers that follow each other, as backlogs' numbers do."""
    topics = batch.intake.topics
    for columns in (*settled.stored.values(), *settled.filled.values(), *settled.duplicates):
        boot, seq = columns.receipted()
        rows = np.flatnonzero((boot != MISSING) & (seq != MISSING))
        if not len(rows):
            continue
        parts = (columns.message[rows], columns.device_id[rows], boot[rows])
        seq = seq[rows]
        goes_on = np.diff(seq) == 1
        for part in parts:
            goes_on &= np.diff(part) == 0
        starts = np.flatnonzero(np.append(True, ~goes_on))
        ends = np.append(starts[1:], len(rows)) - 1
        for message, device_id, boot, low, high in zip(
            *(part[starts].tolist() for part in parts), seq[starts].tolist(), seq[ends].tolist(), strict=True
        ):
            # Whoever publishes itself is called as its topic says; to ask the registry takes longer.
            own = batch.sources.device_id[message] == device_id
            device = device_level(topics[message]) if own else directory.device(device_id).wire
            yield message, device, boot, (low, high)


def _refusals(
    settled: Settled, batch: Batch, directory: Directory
) -> Iterator[tuple[int, str, int, Refusal]]:
    """Yield message, device, boot and what is refused of it, where it has a number."""
    for refused in settled.refused:
        rejected = refused.rejected
        if batch.sources[rejected.message].topic is not None and (number := rejected.number) is not None:
            boot, seq = number
            within = within_element(rejected.pointer, batch.intake.payloads[rejected.message])
            refusal = (seq, str(rejected.reason), within)
            yield rejected.message, directory.wire_of(refused.device), boot, refusal


def within_element(pointer: str, payload: bytes) -> str:
    """Return a pointer into a message as one into its element: senders know elements by their number."""
    if not payload.lstrip(b" \t\r\n").startswith(b"["):
        return pointer
    _, slash, rest = pointer.removeprefix("/").partition("/")
    return slash + rest


def split(runs: Sequence[Run], refusals: Sequence[Refusal] = ()) -> Iterator[tuple[list[Run], list[Refusal]]]:
    """Split ranges, and what is refused among them, so that no receipt outgrows what a broker takes."""
    found: list[tuple[Run, Refusal | None]] = [(run, None) for run in ranges(runs)]
    found += [((refusal[0], refusal[0]), refusal) for refusal in refusals]
    found.sort(key=lambda one: one[0])
    for start in range(0, len(found), RANGES):
        part = found[start : start + RANGES]
        yield ranges([run for run, _ in part]), [refusal for _, refusal in part if refusal is not None]


def ranges(runs: Sequence[Run]) -> list[Run]:
    """Return closed ranges sorted, and joined where they touch: (3, 3), (1, 2), (7, 7) is (1, 3), (7, 7)."""
    found: list[Run] = []
    for low, high in sorted(runs):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found
