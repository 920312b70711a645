"""docs/asyncapi.yaml: the same contract for machines, with the same examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from devices.wire import topics

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "tests/golden/protocol"
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]


def resolve(reference: str) -> Any:
    """Return what a local reference points to; KeyError when it points nowhere."""
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(document: Any) -> list[str]:
    if isinstance(document, dict):
        own = [document["$ref"]] if "$ref" in document else []
        return own + [r for value in document.values() for r in references(value)]
    if isinstance(document, list):
        return [r for value in document for r in references(value)]
    return []


def validator(message: str) -> jsonschema.Draft202012Validator:
    schema = {**MESSAGES[message]["payload"], "components": DOCUMENT["components"]}
    return jsonschema.Draft202012Validator(schema)


def test_every_reference_points_somewhere() -> None:
    for reference in references(DOCUMENT):
        resolve(reference)


def test_addresses_are_the_topics_of_the_platform() -> None:
    names = {"municipality": "tripoli", "kind": "bin", "device": "BIN-0042"}
    addresses = [channel["address"].format(**names) for channel in DOCUMENT["channels"].values()]

    assert {topics.parse(address).channel for address in addresses} == set(topics.Channel)


def test_every_channel_has_an_operation() -> None:
    used = {operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()}

    assert used == {f"#/channels/{name}" for name in DOCUMENT["channels"]}


@pytest.mark.parametrize("message", [name for name, message in MESSAGES.items() if "examples" in message])
def test_examples_are_the_golden_ones_and_fit_their_schema(message: str) -> None:
    golden = {p.stem: p for p in [*EXAMPLES.glob("good/*.json"), *EXAMPLES.glob("channels/*.json")]}

    assert MESSAGES[message]["examples"]
    for example in MESSAGES[message]["examples"]:
        assert example["payload"] == json.loads(golden[example["name"]].read_text(encoding="utf-8"))
        validator(message).validate(example["payload"])


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("good/*.json")), ids=lambda p: p.stem)
def test_every_good_telemetry_example_fits_the_schema(example: Path) -> None:
    message = "relayed" if example.stem.startswith("gateway") else "readings"

    validator(message).validate(json.loads(example.read_text(encoding="utf-8")))


def test_schema_refuses_an_empty_array() -> None:
    assert not validator("readings").is_valid([])
