"""Bodies and rules that are deep, huge or hold what nobody can keep: refused at once, with a reason."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import httpx2
import pytest

from devices.acceptable import fault
from devices.kinds import load
from devices.nesting import MAX_DEPTH
from rules.definition.errors import RulesRefused
from rules.language.cost import MOST_COST, MOST_LETS
from rules.loading.bounds import MOST_BYTES
from rules.loading.files import parse
from tests.integration.api.builders import add

KINDS = load()
RULE = """\
id: full
kind: bin
summary: {en: "{device}", fr: "{device}", ar: "{device}"}
levels: {critical: %s}
"""


def refusal(text: str) -> str:
    """Return why rules are refused."""
    with pytest.raises(RulesRefused) as caught:
        parse(text, KINDS)
    return str(caught.value)


@pytest.mark.attack("deep nesting")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 20_000, "nests deeper than"),
        ("{a: " * 20_000, "nests deeper than"),
        ("- " * 20_000, "nests deeper than"),
        ("\n".join(" " * n + "a:" for n in range(300)), "nests deeper than"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        (RULE % "fill_pct > 85" + "#" * MOST_BYTES, "bytes, at most"),
        ("- 1\n" * 30_000, "more than"),
        (RULE % '"fill_pct > 85\x00"', "U+0000"),
        (RULE % '"fill_pct > 85 \ud800"', "U+D800"),
        (RULE % f"fill_pct > {'9' * 400}", "not a value"),
        (RULE % "fill_pct > 1e400", "not a value"),
        (RULE % "fill_pct > 85" + f"for: {'9' * 400}d\n", "ten years"),
        (RULE % "fill_pct > 85" + f"max_gap: {'9' * 400} intervals\n", "more than"),
        (RULE % "fill_pct > 85" + f"for: {'9' * 400} readings\n", "readings"),
    ],
)
def test_text_no_rule_needs_is_refused_before_it_is_parsed(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.attack("characters and numbers nobody can keep")
def test_escapes_of_json_are_read_as_json_means_them_and_halves_are_refused() -> None:
    assert (
        parse(RULE.replace("{device}", "\\ud83d\\ude00", 1) % "fill_pct > 85", KINDS)[0].summary["en"] == "😀"
    )
    assert "U+D83D" in refusal(RULE.replace("{device}", "\\ud83d", 1) % "fill_pct > 85")
    assert "U+0000" in refusal(RULE.replace("{device}", "\\u0000", 1) % "fill_pct > 85")


def chained(number: int) -> str:
    """Return a valid rule in which each name is made of the one before."""
    lets = "\n".join(f"  a{n}: a{n - 1} + 1" for n in range(1, number))
    return RULE % f"a{number - 1} > 85" + f"let:\n  a0: fill_pct\n{lets}\n"


@pytest.mark.attack("rules that cost too much")
def test_rule_of_many_names_is_refused() -> None:
    assert f"at most {MOST_LETS}" in refusal(chained(MOST_LETS + 1))
    assert parse(chained(MOST_LETS), KINDS)


@pytest.mark.attack("rules that cost too much")
def test_rule_that_costs_too_much_is_refused_with_its_cost() -> None:
    lets = "\n".join(f'  a{n}: baseline(fill_pct + {n}, "16d")' for n in range(20))

    assert f"at most {MOST_COST}" in refusal(RULE % "a0 > 85" + f"let:\n{lets}\n")


@pytest.mark.attack("rules that cost too much")
def test_many_misspelt_names_are_not_all_looked_up() -> None:
    lets = "\n".join(f"  a{n}: fil_pct + {n}" for n in range(400))

    assert f"at most {MOST_LETS}" in refusal(RULE % "a0 > 85" + f"let:\n{lets}\n")


def nested(depth: int) -> Any:
    """Return a list that many levels deep."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.attack("deep nesting")
@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"a": nested(260)}, "nests deeper"),
        ({"a": {"b": "x\x00"}}, "NUL"),
        ({"a": ["\ud800"]}, "half a character"),
        ({"a": 10**400}, "64 bits"),
        ({"a": float("nan")}, "not finite"),
        ({"\x00": 1}, "NUL"),
    ],
)
async def test_attributes_nobody_can_keep_are_refused_and_lists_go_on(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, attributes: dict[str, Any], said: str
) -> None:
    await add(connection, "bin-1")
    body = {"name": "bin-2", "kind": "bin", "municipality": "tripoli", "attributes": attributes}

    answer = await client.post(
        "/api/v1/devices", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == (400 if said == "nests deeper" else 422)
    assert said in answer.text
    assert [d["name"] for d in (await client.get("/api/v1/devices")).json()["items"]] == ["bin-1"]


@pytest.mark.attack("characters and numbers nobody can keep")
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/ledger?since=1700000000", "RFC 3339"),
        ("/api/v1/devices/bin-1/readings?tz=localtime", "IANA"),
        ("/api/v1/devices/bin-1/readings?tz=Factory", "IANA"),
        ("/api/v1/devices/bin-1/readings?tz=posixrules", "IANA"),
    ],
)
async def test_what_only_looks_like_a_time_is_refused(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, path: str, said: str
) -> None:
    await add(connection, "bin-1")

    answer = await client.get(path)

    assert answer.status_code == 422
    assert said in answer.text


@pytest.mark.attack("characters and numbers nobody can keep")
@pytest.mark.parametrize("changed", [{"lat": True, "lon": 35.8}, {"name": ".."}, {"name": "."}])
async def test_what_only_looks_like_a_place_or_a_name_is_refused(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, changed: dict[str, Any]
) -> None:
    await add(connection, "bin-1")
    body = {"name": "bin-2", "kind": "bin", "municipality": "tripoli", **changed}

    answer = await client.post("/api/v1/devices", json=body)

    assert answer.status_code == 422


@pytest.mark.attack("deep nesting")
def test_fault_is_told_with_its_pointer() -> None:
    assert fault({"a": [1, {"b": "x\x00"}]}) == ("/a/1/b", "text may not contain the character NUL")
    assert fault({"a": nested(MAX_DEPTH - 1)}) is None
    assert fault(nested(MAX_DEPTH + 1)) is not None
    assert fault({"a": True, "b": None, "c": 2**63 - 1, "d": "ق"}) is None
