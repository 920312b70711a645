"""Sessions at the broker that are ended: the platform signs in under their client id, and leaves.

A reload of mosquitto ends sessions whose password is gone, but looks at no certificate again.
"""

from __future__ import annotations

from collections.abc import Iterable

from nabd.broker.address import BrokerAddress
from nabd.broker.client import client


async def end(broker: BrokerAddress, client_ids: Iterable[str]) -> None:
    """End the sessions of these client ids, their last wills told, what waited for them dropped.

    Raises:
        aiomqtt.MqttError: the broker does not let us.
    """
    for one in client_ids:
        async with client(broker, identifier=one):
            pass
