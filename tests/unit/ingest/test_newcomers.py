"""A device that registers itself by speaking is installed since its first message."""

from __future__ import annotations

import numpy as np

from devices.kinds import load
from devices.registry.registry import Municipality, Registry
from ingest.broker.intake import Intake
from ingest.decide.batch import unregistered
from ingest.decide.directory import Directory

OPEN = Municipality(
    id=1, name="tripoli", title={}, time_zone="Asia/Beirut", locale="ar-LB", weekend=(6, 7), lat=None,
    lon=None, register_unknown=True,
)  # fmt: skip


def test_newcomer_is_known_by_the_first_of_its_messages() -> None:
    directory = Directory(Registry(devices={}, by_name={}, municipalities={"tripoli": OPEN}), load())
    names = ["B-1", "B-2", "B-1", "B-2", "B-2"]
    intake = Intake(
        topics=[f"nabd/v1/tripoli/bin/{name}/telemetry" for name in names],
        payloads=[b"{}"] * len(names),
        received_at=np.arange(100, 100 + len(names)),
        packet_ids=[],
        connection=None,
    )

    found = unregistered(intake, directory)

    assert {name: newcomer.at for name, newcomer in found.items()} == {"B-1": 100, "B-2": 101}
    assert found["B-1"].topic.kind == "bin"
