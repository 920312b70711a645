"""Services of Apprise are named by the administrator, and reached by name."""

from __future__ import annotations

import asyncio
import threading

import pytest

from notify.channels.apprise import AppriseChannel
from notify.message import Undelivered
from tests.unit.notify.builders import make_message

SERVICES = {"whatsapp": "whatsapp://TOKEN@FROM/{to}", "office": "slack://A/B/C"}


async def test_message_goes_to_the_service_that_is_named() -> None:
    told: list[tuple[str, str, str]] = []

    def notify(url: str, title: str, text: str) -> bool:
        told.append((url, title, text))
        return True

    channel = AppriseChannel(SERVICES, notify=notify)

    assert await channel.send(make_message(), "whatsapp:+961 3/1?x=y") == "whatsapp took it"
    assert await channel.send(make_message(), "office") == "office took it"
    assert [url for url, _, _ in told] == ["whatsapp://TOKEN@FROM/%2B961%203%2F1%3Fx%3Dy", "slack://A/B/C"]
    assert told[0][1:] == (make_message().subject, make_message().text)


@pytest.mark.parametrize("to", ["json://127.0.0.1", "signal:1", "whatsapp", "whatsapp:", "office:x", ""])
async def test_address_of_ones_own_is_refused(to: str) -> None:
    with pytest.raises(Undelivered) as refused:
        await AppriseChannel(SERVICES, notify=lambda *_: True).send(make_message(), to)

    assert refused.value.permanent


async def test_service_that_does_not_take_it_or_hangs_may_be_tried_again() -> None:
    released = threading.Event()
    for notify, said in ((lambda *_: False, "did not take"), (lambda *_: released.wait(5), "no answer")):
        with pytest.raises(Undelivered, match=said) as failed:
            await AppriseChannel(SERVICES, notify=notify, timeout_s=0.1).send(make_message(), "office")
        assert not failed.value.permanent
        assert failed.value.may_have_arrived is (said == "no answer")
    released.set()


async def test_services_that_hang_hold_up_no_other_threads() -> None:
    """Names are looked up in the loop's own threads: all other channels need them."""
    released = threading.Event()
    channel = AppriseChannel(SERVICES, notify=lambda *_: released.wait(30), timeout_s=30.0)
    hanging = [asyncio.create_task(channel.send(make_message(), "office")) for _ in range(64)]
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: "looked up") == "looked up"

    released.set()
    await asyncio.gather(*hanging, return_exceptions=True)
    await channel.close()
