"""The short forms of `nabd bench notify` and `notify-kills`: the real process and a real receiver."""

from __future__ import annotations

from pathlib import Path

from bench.notify import storm
from bench.notify.kills import killed
from bench.notify.storm import StormPlan

PLAN = StormPlan(circuits=5, lamps=6, told=3, group_for_s=1.0)


async def test_a_dark_district_is_told_as_one_alert_and_one_digest_a_receiver(
    dsn: str, tmp_path: Path
) -> None:
    counted, messages, _ = await storm.grouped(dsn, PLAN, tmp_path)

    assert (counted.sent, counted.told, counted.doubled, counted.unexpected) == (30, 30, 0, 0)
    assert messages == [4, 4, 4]  # the first and the others, when it went dark and when it was lit again


async def test_a_notifier_that_is_killed_loses_nothing_and_what_came_twice_is_known(
    dsn: str, tmp_path: Path
) -> None:
    result = await killed(dsn, kills=3, seed=7, directory=tmp_path)

    assert (result.counted.lost, result.counted.unexpected, result.unexplained) == (0, 0, 0)
    assert result.counted.told > 20
