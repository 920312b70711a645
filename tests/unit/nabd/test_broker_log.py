"""Lines of mosquitto's log that tell of refused sign-ins, as versions write them."""

from __future__ import annotations

import pytest

from nabd.identity.broker_log import MOST_KEYS, RefusalCount

OLD = """1796034092: New connection from 10.0.0.7:53861 on port 8883.
1796034092: Client <unknown> disconnected, not authorised."""
AMONG_OTHERS = """1: New connection from 10.0.0.7:1 on port 8883.
1: New connection from 10.0.0.8:2 on port 8883.
1: Client <unknown> disconnected, not authorised."""
AFTER_ANOTHER = """1: New connection from 10.0.0.8:2 on port 8883.
1: New client connected from 10.0.0.8:2 as BIN-2 (p2, c1, k60, u'BIN-2').
1: New connection from 10.0.0.7:1 on port 8883.
1: Client <unknown> disconnected, not authorised."""
NEW = "1: Client BIN-1 [10.0.0.7:41000] disconnected: not authorised."
CERTIFICATE = """1: New connection from 10.0.0.7:1 on port 8884.
1: OpenSSL Error[0]: error:1417C086:SSL routines:tls_process_client_certificate:certificate verify failed"""


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        (OLD, {("10.0.0.7", ""): 1}),
        (AMONG_OTHERS, {("", ""): 1}),
        (AFTER_ANOTHER, {("10.0.0.7", ""): 1}),
        (NEW, {("10.0.0.7", "BIN-1"): 1}),
        (CERTIFICATE, {("10.0.0.7", ""): 1}),
        ("1: Client BIN-1 disconnected.", {}),
    ],
)
def test_refusals_are_counted_by_what_the_line_says(lines: str, counts: dict[tuple[str, str], int]) -> None:
    counting = RefusalCount()
    for line in lines.splitlines():
        counting.read(line)

    assert dict(counting.taken()) == counts
    assert not counting.taken()


def test_client_ids_that_a_stranger_chooses_are_told_apart_up_to_a_number() -> None:
    counting = RefusalCount()
    for number in range(2 * MOST_KEYS):
        counting.read(f"1: Client C-{number} [10.0.0.7:41000] disconnected: not authorised.")
    first = counting.taken()
    counting.read("1: Client LATE [10.0.0.7:41000] disconnected: not authorised.")
    counting.put_back(first)
    again = counting.taken()

    assert len(first) == len(again) == MOST_KEYS + 1
    assert first["", ""] == MOST_KEYS
    assert again["10.0.0.7", "LATE"] == 1
    assert again.total() == 2 * MOST_KEYS + 1
