"""What an edge node's host does about messages that overtake others, and about those that never come."""

from __future__ import annotations

from typing import Any

from devices.wire.adapters.formats import Happening, Heard, sparkplug
from devices.wire.adapters.formats import sparkplug_payload as payloads
from devices.wire.adapters.formats.edge_node import MAX_WAITING, REBIRTH_EVERY_S, REORDER_S
from devices.wire.adapters.formats.sparkplug import Sparkplug

SECOND = 1_000_000
NOON = 1_772_366_400 * SECOND
NODE = "tripoli/cabinet-7"


def payload(seq: int, *metrics: dict[str, Any], at: int = NOON) -> bytes:
    """Return a payload; metrics by their fields' names."""
    said: Any = payloads._MESSAGES["Payload"](timestamp=at // 1000, seq=seq)
    for metric in metrics:
        said.metrics.add(**metric)
    return bytes(said.SerializeToString())


def born() -> Sparkplug:
    reader = Sparkplug()
    birth = payload(
        0,
        {"name": "bdSeq", "datatype": 8, "long_value": 1},
        {"name": "level", "alias": 1, "datatype": 3, "int_value": 0},
    )
    reader.read("spBv1.0/tripoli/NBIRTH/cabinet-7", birth, NOON)
    return reader


def tell(reader: Sparkplug, seq: int, *, after_s: float = 0) -> Heard:
    """Let the node say a level that is its sequence number."""
    said = payload(seq, {"alias": 1, "int_value": seq}, at=NOON + seq * SECOND)
    return reader.read("spBv1.0/tripoli/NDATA/cabinet-7", said, NOON + int(after_s * SECOND))


def levels(heard: Heard) -> list[object]:
    return [uplink.values["level"] for uplink in heard.uplinks]


def rebirths(heard: Heard) -> int:
    return sum(event.happening is Happening.REBIRTH for event in heard.events)


def test_messages_in_any_order_are_read_in_theirs() -> None:
    reader = born()

    assert [levels(tell(reader, seq)) for seq in (3, 2, 1, 4)] == [[], [], [1, 2, 3], [4]]


def test_what_waits_says_so_and_has_the_topic_on_which_it_came() -> None:
    reader = born()
    held = [tell(reader, seq).held for seq in (3, 2, 2)]
    lamp = payload(4, {"name": "level", "datatype": 3, "int_value": 4})
    held.append(reader.read("spBv1.0/tripoli/DDATA/cabinet-7/lamp-1", lamp, NOON).held)

    heard = tell(reader, 1)

    assert [None if number is None else heard.released.index(number) for number in held] == [1, 0, None, 2]
    assert heard.held is None
    assert [(uplink.device, uplink.topic.split("/")[2]) for uplink in heard.uplinks] == [
        *[("tripoli:cabinet-7", "NDATA")] * 3,
        ("tripoli:cabinet-7:lamp-1", "DDATA"),
    ]


def test_the_sequence_goes_on_after_255() -> None:
    reader = born()

    heard = [level for seq in range(1, 600) for level in levels(tell(reader, seq % 256))]

    assert heard == [seq % 256 for seq in range(1, 600)]


def test_one_that_never_comes_is_waited_for_a_while_and_a_rebirth_is_asked_for() -> None:
    reader = born()
    tell(reader, 3)
    tell(reader, 2)
    early = reader.overdue(NOON + int(REORDER_S * SECOND) - 1)

    late = reader.overdue(NOON + int(REORDER_S * SECOND))

    assert (levels(early), rebirths(early)) == ([], 0)
    assert (levels(late), rebirths(late)) == ([2, 3], 1)
    assert levels(tell(reader, 4)) == [4]


def test_the_next_message_finds_out_too_that_another_is_overdue() -> None:
    reader = born()
    tell(reader, 2)

    heard = tell(reader, 3, after_s=REORDER_S)

    assert (levels(heard), rebirths(heard)) == ([2, 3], 1)


def test_one_that_comes_after_it_was_given_up_is_read_all_the_same() -> None:
    reader = born()
    tell(reader, 2)
    reader.overdue(NOON + 60 * SECOND)

    assert levels(tell(reader, 1)) == [1]
    assert levels(tell(reader, 3)) == [3]


def test_no_more_than_so_many_wait() -> None:
    reader = born()

    heard = [tell(reader, seq) for seq in range(2, MAX_WAITING + 3)]

    assert [len(one.uplinks) for one in heard] == [0] * MAX_WAITING + [MAX_WAITING + 1]
    assert rebirths(heard[-1]) == 1


def test_a_rebirth_is_asked_for_once_a_minute_until_it_comes() -> None:
    reader = Sparkplug()

    asked = [
        rebirths(tell(reader, 1, after_s=after)) for after in (0, 1, REBIRTH_EVERY_S, REBIRTH_EVERY_S + 1)
    ]

    assert asked == [1, 0, 1, 0]


def test_what_waits_when_a_node_is_born_anew_is_read_with_what_its_birth_said() -> None:
    reader = born()
    tell(reader, 2)
    renamed = payload(0, {"name": "depth", "alias": 1, "datatype": 3, "int_value": 9})

    heard = reader.read("spBv1.0/tripoli/NBIRTH/cabinet-7", renamed, NOON)

    assert [dict(uplink.values) for uplink in heard.uplinks] == [{"level": 2}, {"depth": 9}]


def test_the_bytes_that_ask_for_a_rebirth_are_a_command_to_the_node() -> None:
    topic, said = sparkplug.rebirth_request(NODE)

    (metric,) = payloads.read_payload(said).metrics
    assert topic == "spBv1.0/tripoli/NCMD/cabinet-7"
    assert (metric.name, metric.value(metric.datatype)) == ("Node Control/Rebirth", True)
