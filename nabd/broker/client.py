"""Connections of commands and of the queue watch to the broker; ingest has a session of its own."""

from __future__ import annotations

import aiomqtt

from nabd.broker.address import BrokerAddress


def client(broker: BrokerAddress, *, identifier: str | None = None, timeout_s: float = 5.0) -> aiomqtt.Client:
    """Return a connection to the broker, not opened, without a persistent session.

    Args:
        identifier: the client id; without it the broker chooses one.
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
