"""How commands and watchers connect to the broker; ingest has a session of its own."""

from __future__ import annotations

import aiomqtt

from nabd.broker.address import BrokerAddress


def client(broker: BrokerAddress, *, identifier: str | None = None, timeout_s: float = 5.0) -> aiomqtt.Client:
    """Return a connection to the broker, not opened, that leaves no session behind.

    Args:
        identifier: the client id; drawn by the broker without it.
        timeout_s: how long each step may take, in seconds.
    """
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        tls_context=broker.tls,
        protocol=aiomqtt.ProtocolVersion.V5,
        identifier=identifier,
        timeout=timeout_s,
    )
