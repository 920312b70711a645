"""Where ingest gets messages from: a session of MQTT, or a consumer of JetStream (NABD_STREAM)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.broker import session
from ingest.broker.session import IngestBroker
from ingest.service import OpenSession
from nabd.broker import address
from nabd.broker.address import BrokerAddress
from nabd.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSource:
    """How to connect as the ingest of a shard: `open` with the address, whose client id is the shard's."""

    broker: IngestBroker
    open: OpenSession


def source_of(settings: Settings, broker: Callable[[Settings], BrokerAddress]) -> MessageSource:
    """Return the configured source. broker: the one of the settings, asked where no stream is named.

    Raises:
        ValueError: it is no address, or a package is not installed.
    """
    opener: OpenSession = session.connect
    if settings.stream:
        try:
            found = address.parse(settings.stream, address.NATS_PORTS)
        except ValueError as error:
            raise ValueError(f"NABD_STREAM: {error}") from error
        try:
            # Not above: an installation without NATS needs no client of it.
            from ingest.broker import jetstream
        except ImportError as error:
            fix = "pip install 'nabd[nats]'"
            raise ValueError(f"NABD_STREAM needs the client of NATS: {fix}") from error
        opener = jetstream.connect
    else:
        found = broker(settings)
    connected = IngestBroker(
        host=found.host,
        port=found.port,
        client_id="",
        username=found.username,
        password=found.password,
        tls=found.tls,
        keep_alive_s=settings.keep_alive_s,
        receive_maximum=settings.receive_maximum,
    )
    return MessageSource(broker=connected, open=opener)
