"""Answers to commands that do not exist, thousands in a batch, cost one question; real ones move on once."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID, uuid4

from devices.wire.channels import Response
from ingest.commit import answers
from store.connection import Connection
from tests.waiting import now


class Asked:
    """A database that knows one command and keeps what it was asked."""

    def __init__(self, command: UUID) -> None:
        self.command = command
        self.questions: list[tuple[Any, ...]] = []

    async def fetch(self, query: str, ids: list[UUID]) -> list[dict[str, UUID]]:
        self.questions.append((query,))
        return [{"id": self.command}] if self.command in ids else []

    async def fetchval(self, query: str, *values: Any) -> UUID:
        self.questions.append((query, *values[:3]))
        return self.command


async def test_answers_to_no_command_cost_one_question_and_real_ones_are_taken_once() -> None:
    command = uuid4()
    asked = Asked(command)
    made_up = [("bin-1", Response(id=uuid4(), status="accepted")) for _ in range(5_000)]
    real = [("bin-1", Response(id=command, status=status)) for status in ("accepted", "accepted", "running")]

    await answers.record(cast(Connection, asked), made_up + real * 1_000, now)

    assert [question[1:] for question in asked.questions] == [
        (),
        (command, "bin-1", "accepted"),
        (command, "bin-1", "running"),
    ]


async def test_batch_without_answers_asks_nothing() -> None:
    asked = Asked(uuid4())

    await answers.record(cast(Connection, asked), [], now)

    assert asked.questions == []
