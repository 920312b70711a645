"""Who presents wrong tokens must wait; nobody else."""

from __future__ import annotations

from people.throttle import ALLOWED, MOST_KEYS, WINDOW_S, Throttle


def test_address_waits_after_so_many_wrong_tokens_until_the_window_has_passed() -> None:
    throttle = Throttle()

    told = [throttle.failed("a", 0.0) for _ in range(ALLOWED)]

    assert told == [False] * (ALLOWED - 1) + [True]
    assert throttle.wait_s("a", 1.0) == WINDOW_S - 1
    assert throttle.wait_s("a", WINDOW_S) == 0
    assert throttle.wait_s("b", 1.0) == 0
    assert throttle.failed("a", WINDOW_S) is False


def test_many_addresses_take_bounded_memory() -> None:
    throttle = Throttle()

    for number in range(MOST_KEYS + 10):
        throttle.failed(str(number), 0.0)

    assert len(throttle._by_key) == MOST_KEYS
