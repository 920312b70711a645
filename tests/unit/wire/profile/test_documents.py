"""docs/connect.md has every shipped profile, and each message in it becomes the reading beside it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from devices import profiles
from devices.kinds import load
from devices.wire.adapters.uplink import Uplink
from tests.unit.wire.profile.profiles import mistakes

DOCS = Path(__file__).parents[4] / "docs"
SHIPPED = profiles.load(load(profiles.KINDS))
_SHOWN = re.compile(r"^\$ nabd profile test (.*?) --json\n\n(\{.*?\})\n```$", re.MULTILINE | re.DOTALL)


def test_every_shipped_profile_has_a_section() -> None:
    text = (DOCS / "connect.md").read_text(encoding="utf-8")

    assert [name for name in SHIPPED if f"profile `{name}`" not in text] == []


def test_what_is_shown_of_a_message_is_what_becomes_of_it() -> None:
    shown = _SHOWN.findall((DOCS / "connect.md").read_text(encoding="utf-8"))

    assert len(shown) >= 12
    for command, reading in shown:
        name, *options = shlex.split(command)
        said = dict(zip(options[::2], options[1::2], strict=True))
        port = int(said["--port"]) if "--port" in said else None
        uplink = Uplink(device="A", raw=b"", payload=bytes.fromhex(said["--hex"]), port=port)

        (element, *_) = SHIPPED[name].read(uplink).elements

        assert {k: v for k, v in element.items() if k not in ("kind", "device", "ts")} == json.loads(reading)


def test_the_profile_of_the_documents_is_one() -> None:
    text = (DOCS / "profiles.md").read_text(encoding="utf-8")
    (example,) = [one for one in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "profile =" in one]

    assert mistakes(example) == []
