"""In which order devices are reached, when a rollout goes on, and when it stops."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devices.firmware.image import facts_of, is_signed, public_of, sign
from devices.firmware.rollout import (
    RolloutCandidate,
    RolloutStep,
    StageCounts,
    check_stages,
    in_order,
    next_step,
    stage_of,
)
from devices.registry.errors import Invalid

STREET = [
    RolloutCandidate(id=n, name=f"light-{n:03}", beside=f"circuit-{n % 5}" if n < 40 else "circuit-0")
    for n in range(60)
]


def test_no_circuit_is_reached_twice_before_every_one_is_reached_once() -> None:
    ordered = in_order(STREET, "seed")

    assert sorted(one.id for one in ordered) == list(range(60))
    for first in (0, 5, 10, 15):
        assert len({one.beside for one in ordered[first : first + 5]}) == 5


def test_order_is_the_same_for_the_same_image_and_another_for_another() -> None:
    assert in_order(STREET, "a") == in_order(list(reversed(STREET)), "a")
    assert in_order(STREET, "a") != in_order(STREET, "b")


def test_stages_are_shares_of_all_devices_and_never_empty() -> None:
    reached = [stage_of(position, 500, (1, 10, 100)) for position in range(500)]
    assert [reached.count(stage) for stage in range(3)] == [5, 45, 450]
    assert [stage_of(position, 3, (1, 10, 100)) for position in range(3)] == [0, 2, 2]


@pytest.mark.parametrize("stages", [(), (0, 100), (10, 10, 100), (50, 10, 100), (1, 10), (1, 101)])
def test_stages_that_do_not_grow_to_all_are_refused(stages: tuple[int, ...]) -> None:
    with pytest.raises(Invalid, match="grow to 100"):
        check_stages(stages)


@pytest.mark.parametrize(
    ("reached", "ended", "harmed", "settled_for_s", "last", "step"),
    [
        (5, 0, 0, None, False, RolloutStep.WAIT),
        (5, 1, 1, None, False, RolloutStep.STOP),
        (50, 9, 5, None, False, RolloutStep.WAIT),
        (50, 9, 6, None, False, RolloutStep.STOP),
        (5, 5, 0, None, False, RolloutStep.SETTLE),
        (5, 5, 0, 59, False, RolloutStep.WAIT),
        (5, 5, 1, 59, False, RolloutStep.STOP),
        (5, 5, 0, 60, False, RolloutStep.FOLLOWING),
        (5, 5, 0, 60, True, RolloutStep.END),
    ],
)
def test_rollout_goes_on_only_when_all_is_well_for_long_enough(
    reached: int, ended: int, harmed: int, settled_for_s: float | None, last: bool, step: RolloutStep
) -> None:
    counts = StageCounts(reached=reached, ended=ended, harmed=harmed)
    found = next_step(counts, tolerated_pct=10, settled_for_s=settled_for_s, watch_s=60, last=last)
    assert found is step


def test_signature_holds_for_one_kind_version_and_content_only() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    facts = facts_of(b"image", "light", "2.0")
    signature = sign(facts, key)

    assert is_signed(facts, signature, public_of(key))
    assert not is_signed(facts, signature, public_of(other))
    for wrong in (facts_of(b"imagf", "light", "2.0"), facts_of(b"image", "bin", "2.0")):
        assert not is_signed(wrong, signature, public_of(key))
    assert not is_signed(facts_of(b"image", "light", "2.1"), signature, public_of(key))
    assert not is_signed(facts, "no hex", public_of(key))
    with pytest.raises(Invalid, match="version"):
        facts_of(b"image", "light", "2.0; rm")
