"""The examples of the wire contract: decoded as they say, and all shown to firmware engineers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from devices import topics
from devices.kinds import load
from devices.wire import Decoder, Reason, Rejected, split

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "tests/golden/protocol"
PROTOCOL = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
TELEMETRY = sorted([*EXAMPLES.glob("good/*.json"), *EXAMPLES.glob("refused/*.json")])
DECODED_HERE = {Reason.MALFORMED, Reason.BAD_VALUE, Reason.BAD_TIME}
"""Reasons that a payload shows alone; the others need the registry or what is stored."""
NEEDS_THE_TIME = {"bad_time-old_element"}


def expected(example: Path) -> dict[str, Any]:
    return tomllib.loads(example.with_suffix(".toml").read_text(encoding="utf-8"))


def decode(topic: topics.Topic, payload: bytes) -> tuple[int, list[Rejected]]:
    """Return how many elements could be stored, and what is refused, by the payload alone."""
    kinds = load()
    if topic.kind != topics.GATEWAY:
        decoded, rejected = Decoder(kinds[topic.kind]).decode([payload])
        return len(decoded), rejected
    rejected = []
    relayed = split(0, payload, rejected)
    return sum(len(Decoder(kinds[r.kind]).decode([r.payload])[0]) for r in relayed), rejected


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("good/*.json")), ids=lambda p: p.stem)
def test_good_example_is_decoded_whole(example: Path) -> None:
    says = expected(example)

    stored, rejected = decode(topics.parse(says["topic"]), example.read_bytes())

    assert (stored, rejected) == (says["stored"], [])


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("refused/*.json")), ids=lambda p: p.stem)
def test_refused_example_says_its_reason_and_pointer(example: Path) -> None:
    says = expected(example)
    reasons = {Reason(r["reason"]) for r in says["rejected"]}
    assert reasons == {Reason(example.stem.split("-")[0])}
    if not reasons <= DECODED_HERE or example.stem in NEEDS_THE_TIME:
        return

    stored, rejected = decode(topics.parse(says["topic"]), example.read_bytes())

    assert stored == says["stored"]
    assert [(r.reason, r.pointer) for r in rejected] == [
        (r["reason"], r["pointer"]) for r in says["rejected"]
    ]


def test_bad_topic_example_does_not_parse() -> None:
    with pytest.raises(topics.BadTopic):
        topics.parse(expected(EXAMPLES / "refused/bad_topic-upper_case.json")["topic"])


def test_examples_cover_every_reason_a_device_can_cause() -> None:
    shown = {p.stem.split("-")[0] for p in EXAMPLES.glob("refused/*.json")}

    assert shown == set(Reason) - {Reason.INTERNAL}


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
