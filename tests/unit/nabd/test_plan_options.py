"""`nabd maintenance plan`, `nabd silence add`, `nabd alert assign`, `nabd calendar`: wrong options."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from nabd.cli import app

PLAN = "maintenance plan --device bin-1 --reason washing --every {every} --at {at}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (PLAN.format(every="1,15", at="02:00-04:00"), "month:1,15"),
        (PLAN.format(every="month:", at="02:00-04:00"), "month:1,15"),
        (PLAN.format(every="month:x", at="02:00-04:00"), "month:1,15"),
        (PLAN.format(every="mon,any", at="02:00-04:00"), "month:1,15"),
        (PLAN.format(every="mon", at="2-4"), "02:00-04:00"),
        (PLAN.format(every="mon", at="25:00-26:00"), "02:00-04:00"),
        (PLAN.format(every="day", at="02:00-04:00") + " --from tomorrow", "2026-03-01"),
        ("silence add --rule a --reason b", "--until"),
        ("silence add --rule a --reason b --until 4h", "use --for"),
        ("silence add --attribute circuit --reason b --for 4h", "NAME=VALUE"),
        ("calendar hours tripoli --day mon=08:00-25:00", "08:00-12:00"),
        ("alert assign 7", "--nobody"),
        ("alert assign 7 rima --nobody", "--nobody"),
    ],
)
def test_mistake_of_an_option_is_wrong_usage_and_says_how_to_write_it(line: str, said: str) -> None:
    result = CliRunner().invoke(app, line.split(), env={"NABD_DATABASE": "", "COLUMNS": "200"})

    assert result.exit_code == 2
    assert said in result.output
