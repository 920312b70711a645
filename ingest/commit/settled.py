"""What became of a batch's readings, for the ledger, the receipts and whoever consumes new rows.

Pure. Must not know the database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from devices.columns import MISSING, Columns, joined
from devices.kinds.kind import UNDATED
from devices.wire import channels
from devices.wire.topics import Channel
from ingest.decide.batch import Batch, Refused
from ingest.decide.clocks import Learnt
from ingest.decide.directory import Directory, TopicSource
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
    for columns in settled.duplicates:
        ids, counts = np.unique(columns.device_id, return_counts=True)
        for device_id, n in zip(ids.tolist(), counts.tolist(), strict=True):
            by_device[directory.device(device_id).name, DUPLICATE] += n
    for refused in settled.refused:
        by_device[refused.device, refused.rejected.reason] += refused.rejected.readings
    for columns in settled.filled.values():
        for device_id in columns.device_id.tolist():
            by_device[directory.device(device_id).name, MERGED] += 1
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
    runs: defaultdict[tuple[str, str, int], list[Run]] = defaultdict(list)
    refusals: defaultdict[tuple[str, str, int], list[Refusal]] = defaultdict(list)
    first: dict[str, TopicSource] = {}
    for message, device, boot, run in _runs(settled, directory):
        runs[topics[message], device, boot].append(run)
        first.setdefault(topics[message], batch.sources[message])
    for message, device, boot, refusal in _refusals(settled, batch, directory):
        refusals[topics[message], device, boot].append(refusal)
        first.setdefault(topics[message], batch.sources[message])
    return [
        (
            str(topic.on(Channel.RECEIPT)),
            channels.receipt(channels.Receipt(device, boot, told, rejected)),
        )
        for key in dict.fromkeys((*runs, *refusals))
        for told, rejected in split(runs.get(key, ()), refusals.get(key, ()))
        for published_on, device, boot in (key,)
        if (topic := first[published_on].topic) is not None
    ]


def _runs(settled: Settled, directory: Directory) -> Iterator[tuple[int, str, int, Run]]:
    """Yield message, device, boot and a run of numbers that follow each other, as backlogs' numbers do."""
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
            yield message, directory.device(device_id).wire, boot, (low, high)


def _refusals(
    settled: Settled, batch: Batch, directory: Directory
) -> Iterator[tuple[int, str, int, Refusal]]:
    """Yield message, device, boot and what is refused of it, where it has a number."""
    for refused in settled.refused:
        rejected = refused.rejected
        if (number := rejected.number) is not None:
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
