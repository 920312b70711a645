"""Telegraf's configuration as somebody would write it who wants it fast: large batches, a large window."""

from __future__ import annotations

from pathlib import Path

from devices.wire.topics import Channel, every
from nabd.broker.address import BrokerAddress

TABLE = "mqtt_consumer"

_CONFIGURATION = """\
[agent]
  interval = "1s"
  flush_interval = "200ms"
  metric_batch_size = 10000
  metric_buffer_limit = 1000000
  omit_hostname = true

[[inputs.mqtt_consumer]]
  servers = ["tcp://{host}:{port}"]
  topics = ["{topic}"]
  qos = 1
  client_id = "peer-telegraf"
  persistent_session = true
  max_undelivered_messages = 50000
  data_format = "value"
  data_type = "string"

[[outputs.postgresql]]
  connection = "{dsn}"
"""


def command(program: str, directory: Path, broker: BrokerAddress, dsn: str) -> list[str]:
    """Write the configuration and return the command that uses it."""
    file = directory / "telegraf.conf"
    topic = every(Channel.TELEMETRY)
    file.write_text(_CONFIGURATION.format(host=broker.host, port=broker.port, topic=topic, dsn=dsn))
    return [program, "--config", str(file)]
