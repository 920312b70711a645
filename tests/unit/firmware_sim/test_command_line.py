"""`python -m firmware_sim`: what it cannot use is said in one line."""

from __future__ import annotations

import pytest

from firmware_sim.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed", "0"], "no number above 0"),
        (["--interval-cap", "nan"], "no number above 0"),
        (["--bins", "-1"], "no whole number"),
        (["--kinds", "/nowhere"], "/nowhere"),
    ],
)
def test_command_line_refuses_what_it_cannot_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.setattr("sys.argv", ["firmware_sim", *arguments])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
