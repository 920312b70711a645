"""Services of Apprise are named by the administrator, and reached by name."""

from __future__ import annotations

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
    released.set()
