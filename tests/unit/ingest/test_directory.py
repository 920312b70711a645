"""What topics and attributes of devices resolve to, whatever was asked before, and how often."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from devices.kinds.kind import INTERVAL, MERGE
from devices.registry.registry import Registry
from devices.wire import Decoder, Reason
from ingest.broker.intake import Intake
from ingest.broker.topics import Topics, TopicTable
from ingest.decide.batch import decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory, TopicSource
from tests.unit.ingest.test_hardware import KINDS, TRIPOLI, device


def test_own_intervals_and_merging_do_not_depend_on_what_was_asked_before() -> None:
    kinds = {**KINDS, "bin": replace(KINDS["bin"], merge=True)}
    known = device(1, "B-1", attributes={INTERVAL: 0})
    registry = Registry(devices={1: known}, by_name={"B-1": known}, municipalities={"tripoli": TRIPOLI})
    asked, fresh = Directory(registry, kinds), Directory(registry, kinds)

    before = asked.attributes("bin", (INTERVAL, MERGE))

    assert before[INTERVAL][1] == 0
    assert np.isnan(asked.own_interval_s("bin")).all()
    merging, expected = asked.merging("bin"), fresh.merging("bin")
    assert merging is not None
    assert expected is not None
    np.testing.assert_array_equal(merging, expected)


def numbered(topics: list[str], table: TopicTable) -> Topics:
    """Return topics as a session has them."""
    return Topics(table.names, np.array([table.number(topic) for topic in topics], dtype=np.int32))


def test_numbered_topics_are_resolved_once_each_and_only_those_that_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.decide.directory._MOST_KNOWN", 40)
    resolved: list[str] = []
    resolve = Directory._resolve

    def noting(directory: Directory, text: str) -> TopicSource:
        resolved.append(text)
        return resolve(directory, text)

    monkeypatch.setattr(Directory, "_resolve", noting)
    registry = Registry(devices={}, by_name={}, municipalities={"tripoli": TRIPOLI})
    directory, table = Directory(registry, KINDS), TopicTable()
    topics = [f"nabd/v1/tripoli/bin/B-{n}/telemetry" for n in range(40)]
    full = numbered(topics, table)

    for _ in range(3):
        sources = directory.sources(numbered(topics, table))
    assert resolved == topics  # as many as are kept: nothing is forgotten for what is known
    assert [source.name for source in sources] == [f"B-{n}" for n in range(40)]

    more = numbered([topics[3], "nabd/v1/tripoli/bin/B-new/telemetry", topics[3]], table)
    assert [source.name for source in directory.sources(more)] == ["B-3", "B-new", "B-3"]
    assert len(resolved) == 42  # one too many: all were forgotten but what numbers lead to

    resolved.clear()
    after_a_reload = Directory(registry, KINDS)
    assert after_a_reload.sources(full[7:9])[0].name == "B-7"
    assert resolved == topics[7:9]


def test_many_topics_at_once_lead_where_each_by_itself_does() -> None:
    devices = [
        device(1, "B-1"),
        device(2, "B-2", wire_name="NEW-7"),
        device(3, "B-3", retired_at=datetime(2026, 1, 1, tzinfo=UTC)),
        replace(device(4, "B-4"), municipality="nablus", municipality_id=2),
        device(5, "GW-9", kind="gateway"),
        device(6, "X-6", kind="of_no_catalogue"),
        device(7, "B-7", wire_name="B-1"),
    ]
    registry = Registry(
        devices={one.id: one for one in devices},
        by_name={one.name: one for one in devices},
        municipalities={"tripoli": TRIPOLI, "nablus": replace(TRIPOLI, id=2, name="nablus")},
    )
    names = (*(one.name for one in devices), "NEW-7", "B-8", "", "B 1", "_hand")
    topics = [
        f"{prefix}/{town}/{kind}/{name}{channel}"
        for prefix in ("nabd/v1", "nabd/v2", "x")
        for town in ("tripoli", "nablus", "homs")
        for kind in ("bin", "light", "gateway", "of_no_catalogue", "")
        for name in names
        for channel in ("/telemetry", "/presence", "", "telemetry", "/telemetry/")
    ]
    known = Directory(registry, KINDS)

    found = Directory(registry, KINDS).sources(topics)

    alone = [known.source(topic) for topic in topics]
    assert found.device_id.tolist() == [one.device_id for one in alone]
    kinds = [*KINDS]
    assert found.plain_kind.tolist() == [kinds.index(one.kind) if one.plain else -1 for one in alone]
    assert {found.device_id[i] for i in np.flatnonzero(found.plain_kind >= 0)} == {2, 4, 7}
    assert list(found) == alone


def test_a_directory_that_was_replaced_is_freed_without_the_garbage_collector() -> None:
    directory = Directory(Registry(devices={}, by_name={}, municipalities={}), KINDS)
    directory.sources(numbered(["nabd/v1/tripoli/bin/B-1/telemetry"], TopicTable()))
    gone = weakref.ref(directory)

    gc.disable()
    try:
        del directory
        assert gone() is None
    finally:
        gc.enable()


def test_what_is_no_topic_is_refused_with_its_own_name_and_not_kept() -> None:
    directory, table = Directory(Registry(devices={}, by_name={}, municipalities={}), KINDS), TopicTable()
    topics = ["nabd/v1/x", "nabd/v1/tripoli/bin/B 1/telemetry", "nabd/v1/x"]

    found = directory.sources(numbered(topics, table))

    assert [source.refusal for source in found] == [Reason.BAD_TOPIC] * 3
    assert [source.name for source in found] == ["", "B 1", ""]
    assert (found.device_id == -1).all()
    assert [source.name for source in directory.sources(topics)] == ["", "B 1", ""]


def test_topics_that_got_no_number_lead_to_their_devices_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.broker.topics.MOST", 4)
    devices = {n: device(n, f"B-{n}") for n in range(1, 10)}
    by_name = {one.name: one for one in devices.values()}
    directory = Directory(
        Registry(devices=devices, by_name=by_name, municipalities={"tripoli": TRIPOLI}), KINDS
    )
    topics = [f"nabd/v1/tripoli/bin/B-{n}/telemetry" for n in range(1, 10)]
    table = TopicTable()
    number = np.array([table.number(topic) for topic in topics], dtype=np.int32)
    unnumbered = {int(i): topics[i] for i in np.flatnonzero(number < 0)}
    intake = Intake(
        topics=Topics(table.names, number, unnumbered),
        payloads=[b'{"fill_pct":40}'] * 9,
        received_at=np.arange(1, 10, dtype=np.int64),
        packet_ids=[],
        connection=None,
    )

    batch = decide(intake, directory, {"bin": Decoder(KINDS["bin"])}, Offsets(), retention=0)

    assert len(unnumbered) == 5
    assert (batch.refused, batch.accepted["bin"].columns.device_id.tolist()) == ([], list(range(1, 10)))
