"""What devices answered to commands, for one batch: a question about all, a change for each that is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devices.commands import answered
from devices.wire.channels import Response
from store.connection import Connection


async def record(
    connection: Connection, responses: Sequence[tuple[str, Response]], now: Callable[[], int]
) -> None:
    """Move commands on as devices say; answers to what is no command, and repeated ones, cost nothing each.

    Args:
        responses: device and answer, in the order in which they came.
    """
    known = await answered.known(connection, {answer.id for _, answer in responses})
    # Of those that say the same state the last one counts: it says how far the device is.
    told = {(d, one.id, one.status): (d, one) for d, one in responses if one.id in known}
    for device, answer in told.values():
        await answered.record_response(
            connection, device, answer.id, answer.status, now, detail=answer.detail, result=answer.result
        )
