"""Hostile bodies at every address that takes one: a documented refusal each, and no error of ours."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from notify.routing.schedules import NewSchedule, add_schedule
from notify.routing.teams import NewTeam, add_team
from people.editing import NewPerson, add_person
from people.identity import of_texts
from store.audit import PLATFORM
from tests.attacks.bodies import hostile
from tests.integration.api import builders
from tests.integration.work.builders import step
from tests.unit.devices.ground.files import EAST, WEST, feature
from work.orders import NewOrder, make

pytestmark = pytest.mark.attack("bodies of requests")

SEED = int(os.environ.get("NABD_ATTACKS_SEED", "1"))
STRIDE = 1 if os.environ.get("NABD_ATTACKS") == "long" else 8
"""The short form sends every eighth body, other ones to each address."""
SUBSCRIPTION = {
    "type": "Subscription",
    "entities": [{"type": "WasteContainer", "idPattern": "bin"}],
    "watchedAttributes": ["fillingLevel"],
    "q": "fillingLevel>0.8",
    "geoQ": {
        "geometry": "Point",
        "coordinates": [35.8, 34.4],
        "georel": "near;maxDistance==500",
        "geoproperty": "location",
    },
    "notification": {
        "attributes": ["fillingLevel"],
        "format": "keyValues",
        "endpoint": {"uri": "https://203.0.113.1/told", "accept": "application/json"},
    },
    "throttling": 60,
}
SENTENCES = {"en": "{device}", "fr": "{device}", "ar": "{device}"}
RULE = {
    "id": "r",
    "kind": "bin",
    "summary": SENTENCES,
    "levels": {"critical": "fill_pct > 85"},
    "for": "2 readings",
}
LAYER = {
    "people": ["rima"],
    "start": "2026-03-02",
    "turn_days": 7,
    "handover": "08:00",
    "hours": "18:00-08:00",
    "days": ["mon", "fri"],
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/ngsi-ld/v1/subscriptions"): SUBSCRIPTION,
    ("patch", "/ngsi-ld/v1/subscriptions/{subscription}"): {"q": "fillingLevel>0.9", "isActive": False},
    ("post", "/api/v1/devices"): {
        "name": "bin-2",
        "kind": "bin",
        "municipality": "tripoli",
        "title": "Port",
        "lat": 34.4,
        "lon": 35.8,
        "attributes": {"overflow_at": 80},
    },
    ("post", "/api/v1/devices/{device}/commands"): {
        "name": "set_interval",
        "args": {"interval_s": 60},
        "expires_after_s": 60,
    },
    ("patch", "/api/v1/devices/{device}/config"): {"desired": {"interval_s": 60}},
    ("post", "/api/v1/rollouts"): {
        "kind": "bin",
        "version": "2.0.0",
        "municipality": "tripoli",
        "stages": [1, 10, 100],
        "tolerated_pct": 10,
        "watch_s": 60,
        "offer_s": 60,
    },
    ("post", "/api/v1/command-requests"): {
        "municipality": "tripoli",
        "kind": "bin",
        "district": "west",
        "name": "set_interval",
        "args": {"interval_s": 60},
        "expires_after_s": 60,
        "reason": "storm",
    },
    ("patch", "/api/v1/devices/{device}"): {
        "title": "Port",
        "lat": 34.4,
        "lon": 35.8,
        "attributes": {"a": 1},
    },
    ("post", "/api/v1/devices/{device}/retire"): {"reason": "broken"},
    ("post", "/api/v1/devices/{device}/credentials"): {"overlap_hours": 2},
    ("post", "/api/v1/device-credentials"): {"municipality": "tripoli", "kind": "bin"},
    ("post", "/api/v1/alerts/{alert_id}/acknowledge"): {},
    ("post", "/api/v1/alerts/{alert_id}/comments"): {"body": "on its way"},
    ("post", "/api/v1/maintenance"): {
        "device": "bin-0007",
        "from_at": "2026-03-01T08:00:00Z",
        "until_at": "2026-03-01T10:00:00Z",
        "reason": "lid",
    },
    ("post", "/api/v1/sources"): {
        "name": "lora",
        "municipality": "tripoli",
        "format": "chirpstack",
        "url": "mqtts://lora.example",
        "topics": ["application/+/device/+/event/up"],
        "profiles": {"EM310": "milesight-em310-udl"},
        "secret": "s",
    },
    ("patch", "/api/v1/sources/{source}"): {"profile": "milesight-em310-udl", "protocol": "3.1.1"},
    ("post", "/api/v1/municipalities"): {"name": "sidon", "title": {"en": "Sidon"}, "weekend": [6, 7]},
    ("patch", "/api/v1/municipalities/{municipality}"): {
        "title": {"en": "Tripoli"},
        "lat": 34.4,
        "lon": 35.8,
    },
    ("post", "/api/v1/devices/import"): {"name": "bin-9", "kind": "bin", "municipality": "tripoli"},
    ("post", "/api/v1/quarantine/{unknown}/replace"): {"place": "bin-1", "serial": "S-2", "reason": "broken"},
    ("post", "/api/v1/quarantine/{unknown}/ban"): {"reason": "not ours"},
    ("post", "/api/v1/devices/{device}/notes"): {"body": "The key hangs at the bakery."},
    ("post", "/api/v1/devices/{device}/hand-readings"): {"measurements": {"fill_pct": 55}, "note": "tape"},
    ("post", "/api/v1/quarantine/{unknown}/adopt"): {"title": "Port", "lat": 34.4, "attributes": {"a": 1}},
    ("post", "/api/v1/rules/check"): RULE,
    ("post", "/api/v1/profiles/test"): {"profile": "dragino-ldds75", "hex": "0b450b0500010501", "port": 2},
    ("put", "/api/v1/municipalities/{municipality}/layers/{layer}"): {
        "type": "FeatureCollection",
        "features": [feature(WEST, name="West"), feature(EAST, name="East")],
    },
    ("put", "/api/v1/rules/{rule}"): RULE,
    ("put", "/api/v1/rules/{rule}/shadow"): RULE,
    ("post", "/api/v1/rules/test"): RULE,
    ("post", "/api/v1/devices/{device}/install"): {"at": "2026-03-01T08:00:00Z"},
    ("post", "/api/v1/devices/{device}/hardware"): {"serial": "SN-20417", "reason": "cell flat"},
    ("post", "/api/v1/alerts/acknowledge"): {"alerts": [1, 2]},
    ("post", "/api/v1/alerts/unacknowledge"): {"alerts": [1, 2]},
    ("put", "/api/v1/routes"): {"tell": "operators", "routes": [{"match": {"kind": "bin"}, "tell": []}]},
    ("post", "/api/v1/routes/test"): {
        "device": "bin-0007",
        "severity": "major",
        "at": "2026-03-01T08:00:00Z",
    },
    ("post", "/api/v1/teams"): {"name": "lights", "title": {"en": "Lights"}, "members": ["rima"]},
    ("patch", "/api/v1/teams/{team}"): {"title": {"en": "Lights"}, "members": ["rima"]},
    ("post", "/api/v1/on-call"): {"name": "night", "time_zone": "Asia/Beirut", "layers": [LAYER]},
    ("patch", "/api/v1/on-call/{schedule}"): {"title": {"en": "Nights"}, "layers": [LAYER]},
    ("post", "/api/v1/on-call/{schedule}/overrides"): {
        "person": "rima",
        "from_at": "2026-03-01T08:00:00Z",
        "until_at": "2026-03-02T08:00:00Z",
    },
    ("post", "/api/v1/on-call/{schedule}/import"): {"BEGIN": "VCALENDAR"},
    ("post", "/api/v1/work-plans"): {
        "title": "wash it",
        "every": 6,
        "unit": "months",
        "kind": "bin",
        "municipality": "tripoli",
        "first_day": "2027-03-01",
        "ahead": 7,
    },
    ("put", "/api/v1/sla"): {
        "severity": "major",
        "municipality": "tripoli",
        "kind": "bin",
        "response_s": 3600,
        "repair_s": 7200,
        "around_the_clock": True,
    },
    ("put", "/api/v1/municipalities/{municipality}/open-data"): {"licence": "CC-BY-4.0"},
    ("put", "/api/v1/municipalities/{municipality}/calendar"): {
        "hours": {"mon": "08:00-16:00"},
        "ramadan_hours": "09:00-14:00",
    },
    ("put", "/api/v1/municipalities/{municipality}/calendar/days/{day}"): {"working": False, "name": "Eid"},
    ("put", "/api/v1/municipalities/{municipality}/calendar/ramadan/{year}"): {
        "first": "2026-02-18",
        "last": "2026-03-19",
    },
    ("put", "/api/v1/municipalities/{municipality}/work-by-rule"): {"on": True},
    ("post", "/api/v1/users"): {
        "name": "samir",
        "display_name": "سمير",
        "language": "ar",
        "phone": "+961 3 123 456",
        "email": "samir@example.org",
        "channels": {"ntfy": "samir"},
        "roles": ["operator@tripoli"],
    },
    ("patch", "/api/v1/users/{user}"): {
        "display_name": "Rima",
        "channels": {"ntfy": "rima"},
        "steps": [{"channel": "ntfy", "after_s": 0}],
        "quiet_hours": [{"from": "22:00", "until": "06:00", "below": "major"}],
        "roles": ["viewer"],
    },
    ("post", "/api/v1/users/{user}/password"): {"password": "short"},
    ("post", "/api/v1/tokens"): {"name": "waste office", "role": "viewer", "scopes": ["metrics"]},
    ("patch", "/api/v1/session/contact"): {
        "channels": {"ntfy": "rima"},
        "steps": [{"channel": "ntfy", "after_s": 0}],
        "quiet_hours": [{"from": "22:00", "until": "06:00", "below": "major"}],
    },
    ("put", "/api/v1/session/subscriptions"): {
        "subscriptions": [{"topic": "weekly-report", "municipality": "tripoli"}]
    },
    ("post", "/api/v1/session/push"): {
        "endpoint": "https://push.example.org/1",
        "expirationTime": None,
        "keys": {"p256dh": "BCVxsr7N_eNg", "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
    },
    ("delete", "/api/v1/session/push"): {"endpoint": "https://push.example.org/1"},
    ("post", "/api/v1/session/push/test"): {"endpoint": "https://push.example.org/1"},
    ("post", "/api/v1/session/password"): {"old": "three short words", "new": "other words"},
    ("put", "/api/v1/session/totp"): {"secret": "JBSWY3DPEHPK3PXP", "code": "123456", "password": "words"},
    ("delete", "/api/v1/session/totp"): {"password": "three short words", "code": "123456"},
    ("post", "/signin"): {"token": "wrong"},
    ("post", "/answer/{token}"): {"answer": "acknowledge", "comment": "on my way"},
    ("post", "/api/v1/answers/sms"): {"from": "+9613123456", "text": "12345"},
    ("post", "/api/v1/alerts/{alert_id}/assign"): {"to": "rima"},
    ("post", "/api/v1/notifications/test"): {"channel": "email", "to": "rima@example.org", "language": "ar"},
    ("post", "/api/v1/silences"): {
        "municipality": "tripoli",
        "device": "bin-0007",
        "rule": "r",
        "until_at": "2026-12-31T00:00:00Z",
        "reason": "roadworks",
    },
    ("post", "/api/v1/maintenance-plans"): {
        "device": "bin-0007",
        "reason": "washed",
        "every": "week",
        "days": [5],
        "from_time": "22:00",
        "until_time": "02:00",
    },
    ("post", "/api/v1/work-orders"): {
        "device": "bin-0007",
        "alerts": [1],
        "title": "look at it",
        "severity": "minor",
        "assignee": "rima",
    },
    ("post", "/api/v1/work-orders/{order}/assign"): {"assignee": "rima", "team": "lights", "version": 1},
    ("post", "/api/v1/work-orders/{order}/accept"): {"happened_at": "2026-03-01T08:00:00Z", "version": 1},
    ("post", "/api/v1/work-orders/{order}/decline"): {"reason": "no time"},
    ("post", "/api/v1/work-orders/{order}/on-the-way"): {"happened_at": "2026-03-01T08:00:00Z"},
    ("post", "/api/v1/work-orders/{order}/start"): {"happened_at": "2026-03-01T08:00:00Z"},
    ("post", "/api/v1/work-orders/{order}/done"): {
        "found": "a broken lid",
        "done": "a new one",
        "parts": [{"name": "lid", "quantity": 1, "unit": ""}],
        "checklist": [{"item": "lid_closes", "answer": "yes", "remark": ""}],
    },
    ("post", "/api/v1/work-orders/{order}/cancel"): {"reason": "a double"},
    ("post", "/api/v1/work-orders/{order}/comments"): {"text": "the road is closed"},
    ("post", "/api/v1/work-orders/{order}/photos"): {"photo": "none"},
    ("post", "/api/v1/telemetry"): {"ts": "2026-03-01T08:30:00Z", "fill_pct": 42.5, "lid_open": False},
    ("post", "/api/v1/webhooks/{source}"): {"deviceInfo": {"devEui": "24e124136b000001"}, "data": "AQ=="},
    ("post", "/api/v2/alerts"): {
        "labels": {"alertname": "DiskFull", "device": "bin-0007"},
        "annotations": {"summary": "full"},
        "startsAt": "2026-01-01T00:00:00Z",
    },
}
MEDIA = ("application/json", "application/yaml", "text/plain", "application/x-www-form-urlencoded")


@pytest.mark.timeout(300)
async def test_hostile_bodies_are_refused_as_documented(
    app: FastAPI, client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-0007"))
    document = app.openapi()["paths"]
    rima = NewPerson(name="rima", grants=sorted(of_texts(["viewer"]), key=str))
    await add_person(connection, rima, builders.now(), by=PLATFORM)
    await add_team(connection, NewTeam(name="lights"), builders.now(), by=PLATFORM)
    schedule = NewSchedule(name="night", time_zone="Asia/Beirut", layers=[LAYER])
    await add_schedule(connection, schedule, builders.now(), by=PLATFORM)
    order = await make(connection, NewOrder(device="bin-0007", title="look"), step())
    named = {
        "day": "2026-12-24",
        "year": 1447,
        "source": "lorawan",
        "work_plan": 1,
        "order": order.id,
        "device": "bin-0007",
        "alert_id": alert,
        "rule": "r",
        "user": "rima",
        "municipality": "tripoli",
        "layer": "districts",
        "team": "lights",
        "schedule": "night",
        "token": "1-1-x",
        "unknown": "bin-nobody-registered",
        "subscription": "urn:ngsi-ld:Subscription:nobodys",
    }
    answered: Counter[int] = Counter()
    wrong = []
    for turn, ((method, path), example) in enumerate(BODIES.items()):
        documented = set(document[path][method]["responses"])
        for i, (name, body) in enumerate(hostile(example, SEED)):
            if (i + turn) % STRIDE:
                continue
            answer = await client.request(
                method,
                path.format(**named),
                content=body,
                headers={"Content-Type": MEDIA[i % len(MEDIA) if i % 5 == 0 else 0]},
            )
            answered[answer.status_code] += 1
            if str(answer.status_code) not in documented or answer.status_code >= 500:
                wrong.append((method, path, name, answer.status_code, answer.text[:200]))

    print(f"NABD_ATTACKS_SEED={SEED}", dict(answered))
    assert wrong == []
    assert sum(answered.values()) > 1000 / STRIDE
    assert (await client.get("/api/v1/devices")).status_code == 200


def test_every_address_that_takes_a_body_is_tried(app: FastAPI) -> None:
    takes = {
        (method, path)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    }

    assert takes <= set(BODIES)
