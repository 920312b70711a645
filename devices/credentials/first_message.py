"""How a device that was just given a password says its first word: lines to copy, in several languages.

Pure. Must not know where the broker is, nor what becomes of the message.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from urllib.parse import quote

from devices.credentials.credential import IssuedPassword
from devices.kinds.kind import Kind, Measurement, ValueType
from devices.wire.topics import PREFIX, Channel

SECURE_PORT = 8883
AUTHORITY = "authority.pem"
"""The certificate of the installation's authority: `/trust` hands it out."""
_DEV_EUI = re.compile(r"[0-9A-Fa-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstMessage:
    """What to do with a new device.

    code: what its QR code says, mqtts://USERNAME:PASSWORD@HOST:PORT. topic, payload: of a first message.
    mosquitto_pub, python, arduino, chirpstack: ready to run once HOST is the broker's; the last one makes the
    device known to a ChirpStack, for hardware that speaks LoRaWAN.
    """

    code: str
    topic: str
    payload: str
    mosquitto_pub: str
    python: str
    arduino: str
    chirpstack: str


def first_message(issued: IssuedPassword, kind: Kind | None, broker: str) -> FirstMessage:
    """Return the lines for a device.

    Args:
        issued: its new password.
        kind: what it measures; None: a gateway, whose message relays nothing yet.
        broker: HOST or HOST:PORT; a port other than 8883 is taken for one without TLS.
    """
    host, port = _parts(broker)
    secure = port == SECURE_PORT
    topic = f"{PREFIX}/{issued.municipality}/{issued.kind}/{issued.username}/{Channel.TELEMETRY}"
    values = {} if kind is None else {kind.headline: _example(kind.measurement(kind.headline))}
    payload = json.dumps(values if kind else [], ensure_ascii=False)
    facts = {
        "host": host,
        "port": port,
        "user": json.dumps(issued.username),
        "password": json.dumps(issued.password),
        "topic": json.dumps(topic),
        "payload": json.dumps(payload),
        "values": _python(values) if kind else "[]",
    }
    return FirstMessage(
        code=code_of(issued, f"{host}:{port}", secure=secure),
        topic=topic,
        payload=payload,
        mosquitto_pub=_mosquitto_pub(issued, host, port, topic, payload, secure=secure),
        python=_PYTHON.format(tls=f'client.tls_set("{AUTHORITY}")\n' if secure else "", **facts),
        arduino=_ARDUINO.format(**facts, **(_SECURE if secure else _PLAIN)),
        chirpstack=_chirpstack(issued),
    )


def code_of(issued: IssuedPassword, broker: str, *, secure: bool = True) -> str:
    """Return what a code says: mqtts://USERNAME:PASSWORD@HOST:PORT, mqtt:// without TLS."""
    scheme = "mqtts" if secure else "mqtt"
    return f"{scheme}://{quote(issued.username, safe='')}:{issued.password}@{broker}"


def _parts(broker: str) -> tuple[str, int]:
    host, colon, port = broker.rpartition(":")
    if colon and port.isdecimal() and not host.endswith(":"):
        return host, int(port)
    return broker, SECURE_PORT


def _example(measurement: Measurement) -> object:
    """Return a value that a measurement may have."""
    match measurement.type:
        case ValueType.TEXT:
            return measurement.choices[0] if measurement.choices else "ok"
        case ValueType.BOOLEAN:
            return False
        case ValueType.NUMBER:
            low = 0.0 if measurement.low is None else measurement.low
            high = low + 2 if measurement.high is None else measurement.high
            return round((low + high) / 2)


def _python(values: dict[str, object]) -> str:
    said = "".join(f", {name!r}: {value!r}" for name, value in values.items())
    return f'{{"ts": time.time_ns() // 1_000_000{said}}}'.replace("'", '"')


def _mosquitto_pub(
    issued: IssuedPassword, host: str, port: int, topic: str, payload: str, *, secure: bool
) -> str:
    words = ["mosquitto_pub", "-V", "5", "-h", host, "-p", str(port)]
    words += ["--cafile", AUTHORITY] if secure else []
    words += ["-i", issued.username, "-u", issued.username, "-P", issued.password]
    return shlex.join([*words, "-q", "1", "-t", topic, "-m", payload])


def _chirpstack(issued: IssuedPassword) -> str:
    eui = issued.username.lower() if _DEV_EUI.fullmatch(issued.username) else "DEVEUI"
    device = {
        "applicationId": "APPLICATION",
        "deviceProfileId": "PROFILE",
        "devEui": eui,
        "name": issued.title or issued.device,
    }
    words = ["curl", "-X", "POST", "https://CHIRPSTACK/api/devices"]
    words += ["-H", "Grpc-Metadata-Authorization: Bearer TOKEN"]
    return shlex.join([*words, "-d", json.dumps({"device": device}, ensure_ascii=False)])


_PYTHON = """\
# pip install paho-mqtt
import json, time
import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id={user}, protocol=mqtt.MQTTv5)
client.username_pw_set({user}, {password})
{tls}client.connect("{host}", {port})
client.loop_start()
reading = {values}
sent = client.publish({topic}, json.dumps(reading), qos=1)
sent.wait_for_publish(10)
print("taken" if sent.is_published() else "not taken: keep it and try again")
client.disconnect()
"""

_ARDUINO = """\
// ESP32. Library "MQTT" by Joel Gaehwiler, which publishes at QoS 1.
#include <{include}.h>
#include <MQTT.h>
{authority}
{client} net;
MQTTClient client(1024);

void setup() {{
  WiFi.begin("NETWORK", "ITS PASSWORD");
  while (WiFi.status() != WL_CONNECTED) delay(200);
{trust}  client.begin("{host}", {port}, net);
}}

void loop() {{
  client.loop();
  if (!client.connected() && !client.connect({user}, {user}, {password})) return delay(5000);
  client.publish({topic}, {payload}, false, 1);
  delay(600000);
}}
"""
_SECURE = {
    "include": "WiFiClientSecure",
    "client": "WiFiClientSecure",
    "authority": """
const char AUTHORITY[] = R"(-----BEGIN CERTIFICATE-----
the lines of authority.pem
-----END CERTIFICATE-----
)";
""",
    "trust": "  net.setCACert(AUTHORITY);\n",
}
_PLAIN = {"include": "WiFi", "client": "WiFiClient", "authority": "", "trust": ""}
