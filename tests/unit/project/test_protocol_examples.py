"""The examples of the wire contract: ingest decides as they say, and the page shows every one of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices.columns import Columns
from devices.instants import to_microseconds
from devices.kinds import load
from devices.kinds.kind import UNDATED
from devices.registry.registry import Device, Municipality, Registry
from devices.wire import Decoder, Kernel, Reason, Splitter, topics
from ingest.broker.intake import Intake
from ingest.decide.batch import Batch, decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from tests.compiled import both_paths

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "tests/golden/protocol"
PROTOCOL = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
TELEMETRY = sorted([*EXAMPLES.glob("good/*.json"), *EXAMPLES.glob("refused/*.json")])
KINDS = load()
KERNEL = Kernel()
DECODERS = {name: Decoder(kind, KERNEL) for name, kind in KINDS.items()}
path = both_paths(KERNEL)


def read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def expected(example: Path) -> dict[str, Any]:
    return read(example.with_suffix(".toml"))


REGISTRY = read(EXAMPLES / "registry.toml")


def directory() -> Directory:
    """Return the registry that the examples assume."""
    ids = {name: number for number, name in enumerate(REGISTRY["devices"], 1)}
    devices = {
        ids[name]: Device(
            id=ids[name],
            name=name,
            kind=facts["kind"],
            municipality="tripoli",
            municipality_id=1,
            relays=tuple(facts.get("relays", ())),
        )
        for name, facts in REGISTRY["devices"].items()
    }
    tripoli = Municipality(
        id=1,
        name="tripoli",
        title={},
        time_zone=REGISTRY["municipalities"]["tripoli"]["time_zone"],
        locale="ar-LB",
        weekend=(6, 7),
        lat=None,
        lon=None,
        register_unknown=False,
    )
    by_name = {device.name: device for device in devices.values()}
    return Directory(Registry(devices=devices, by_name=by_name, municipalities={"tripoli": tripoli}), KINDS)


def decided(example: Path) -> Batch:
    """Return what ingest decides about an example and what came before it, in one batch."""
    says = expected(example)
    files = [EXAMPLES / says["after"], example] if "after" in says else [example]
    received_at = to_microseconds(says["received_at"])
    intake = Intake(
        topics=[expected(file)["topic"] for file in files],
        payloads=[file.read_bytes() for file in files],
        received_at=np.arange(received_at, received_at + len(files)),
        packet_ids=[],
        connection=None,
    )
    retention = REGISTRY["retention_days"] * 86_400_000_000
    return decide(intake, directory(), DECODERS, Offsets(), retention, Splitter(KERNEL))


def stored(batch: Batch) -> list[Columns]:
    return [accepted.columns for accepted in batch.accepted.values()]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("good/*.json")), ids=lambda p: p.stem)
def test_good_example_is_stored_and_marked_as_it_says(example: Path) -> None:
    says = expected(example)

    batch = decided(example)

    assert batch.refused == []
    assert sum(map(len, stored(batch))) == says["stored"]
    suspect = {m.name for c in stored(batch) for m in c.kind.measurements if (c.quality >> m.bit & 1).any()}
    extra = {name for c in stored(batch) for raw in c.extra if raw for name in json.loads(raw)}
    undated = sum(int((c.quality & UNDATED != 0).sum()) for c in stored(batch))
    assert (suspect, extra) == (set(says.get("suspect", ())), set(says.get("extra", ())))
    assert undated == says.get("undated", 0)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("refused/*.json")), ids=lambda p: p.stem)
def test_refused_example_has_the_reason_and_pointer_it_says(example: Path) -> None:
    says = expected(example)
    before = expected(EXAMPLES / says["after"])["stored"] if "after" in says else 0

    batch = decided(example)

    refused = [{"reason": str(r.rejected.reason), "pointer": r.rejected.pointer} for r in batch.refused]
    assert refused == says["rejected"]
    assert {r["reason"] for r in refused} == {example.stem.split("-")[0]}
    assert sum(map(len, stored(batch))) == says["stored"] + before


def test_examples_cover_every_reason_a_device_can_cause() -> None:
    shown = {p.stem.split("-")[0] for p in EXAMPLES.glob("refused/*.json")}

    assert shown == set(Reason) - {Reason.INTERNAL, Reason.QUOTA}


def test_examples_cover_every_kind_and_channel() -> None:
    kinds = {topics.parse(expected(p)["topic"]).kind for p in EXAMPLES.glob("good/*.json")}
    channels = {p.stem for p in EXAMPLES.glob("channels/*")} | {"telemetry"}

    assert kinds >= set(load()) | {topics.GATEWAY}
    assert channels == set(topics.Channel)


@pytest.mark.parametrize("example", [*TELEMETRY, *EXAMPLES.glob("channels/*")], ids=lambda p: p.stem)
def test_protocol_page_shows_the_example(example: Path) -> None:
    assert example.read_text(encoding="utf-8").strip() in PROTOCOL


def test_protocol_page_has_the_tables_of_the_declarations() -> None:
    outcome = subprocess.run([sys.executable, ROOT / "scripts/kind-tables", "--check"], check=False)

    assert outcome.returncode == 0, "run scripts/kind-tables"


def test_protocol_page_has_no_json_block_that_is_not_json() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```", PROTOCOL, re.MULTILINE | re.DOTALL)

    assert blocks
    for block in blocks:
        json.loads(block)


@pytest.mark.parametrize("reason", Reason)
def test_protocol_page_explains_the_reason(reason: Reason) -> None:
    assert f"`{reason}`" in PROTOCOL
