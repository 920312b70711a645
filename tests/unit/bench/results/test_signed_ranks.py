"""The exact signed-rank test, beside counting every distribution of signs by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bench.results.signed_ranks import FEWEST, interval, p_value, shows


def counted(differences: list[float]) -> float:
    """Return the p-value by trying every distribution of signs."""
    sizes = sorted(abs(d) for d in differences)
    ranks = [(sizes.index(abs(d)) + len(sizes) - sizes[::-1].index(abs(d)) + 1) / 2 for d in differences]
    middle = sum(ranks) / 2
    own = abs(sum(rank for rank, d in zip(ranks, differences, strict=True) if d > 0) - middle)
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in product((0, 1), repeat=len(ranks))
    ]
    return sum(abs(one - middle) >= own for one in sums) / len(sums)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1.0], 1.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.0625),
        ([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0], 0.03125),
        ([1.0, -2.0], 1.0),
        ([], 1.0),
    ],
)
def test_p_value_is_that_of_the_tables(differences: list[float], p: float) -> None:
    assert p_value(np.array(differences)) == pytest.approx(p)


def test_p_value_is_what_counting_every_distribution_of_signs_gives_with_ties_too() -> None:
    random = np.random.default_rng(5)
    for n in range(1, 10):
        whole = random.integers(-4, 5, n).astype(float)
        for differences in (random.normal(0.5, 1, n), whole[whole != 0]):
            if len(differences):
                assert p_value(differences) == pytest.approx(counted(differences.tolist()))


def test_pairs_without_a_difference_are_dropped() -> None:
    assert p_value(np.array([0.0, 1, 2, 3, 4, 5, 6, 0])) == pytest.approx(0.03125)
    assert p_value(np.zeros(8)) == 1


def test_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    bounds = [interval(random.normal(1.0, 0.3, 8)) for _ in range(2_000)]

    held = np.mean([b is not None and b[0] <= 1.0 <= b[1] for b in bounds])

    assert 0.945 <= held <= 0.98  # 0.961 of the possible signs


def test_interval_of_six_pairs_is_their_spread_and_five_pairs_have_none() -> None:
    assert interval(np.array([1.0, 2, 3, 4, 5, 6])) == (1, 6)
    assert interval(np.array([1.0, 2, 3, 4, 5])) is None


def test_interval_and_test_agree_on_whether_there_is_a_difference() -> None:
    random = np.random.default_rng(9)
    for _ in range(500):
        differences = random.normal(0.4, 0.5, int(random.integers(6, 14)))
        bounds = interval(differences)

        assert bounds is not None
        assert (bounds[0] > 0 or bounds[1] < 0) == (p_value(differences) <= 0.05)


def test_a_difference_is_shown_only_where_the_interval_excludes_none_with_ties_and_equal_pairs_too() -> None:
    random = np.random.default_rng(11)
    disagreed = 0
    for _ in range(3_000):
        differences = random.integers(-1, 4, int(random.integers(6, 12))).astype(float)
        bounds, refused = interval(differences), p_value(differences) <= 0.05
        assert bounds is not None
        excludes = bounds[0] > 0 or bounds[1] < 0
        disagreed += refused != excludes

        if shows(differences):
            assert excludes
            assert refused
            assert np.count_nonzero(differences) >= FEWEST

    assert disagreed  # or nothing was tested


@pytest.mark.parametrize(
    ("differences", "shown"),
    [
        ([1.0, 2, 3, 4, 5, 6], True),
        ([1.0, 2, 3, 4, 5, 6, 0], True),
        ([1.0, 2, 3, 4, 5, 0], False),
        ([1.0, 2, 3, 4, 5, 6, 0, 0, 0, 0], False),
    ],
)
def test_pairs_without_a_difference_do_not_count_as_pairs_that_show_one(
    differences: list[float], shown: bool
) -> None:
    assert shows(np.array(differences)) == shown
