"""Alerts of other systems, taken as an Alertmanager takes them: `POST /api/v2/alerts`.

Prometheus, Grafana and whatever else speaks to an Alertmanager need only its address and a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request, Response

from alerts import alertmanager, external
from alerts.alertmanager import NotAccepted, PostableAlert
from alerts.external import ExternalAlert
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.problems import Problem
from devices.instants import to_datetime
from devices.storable import storable
from people.identity import Identity
from people.roles import Permission, TokenScope

router = APIRouter(tags=["alerts"])

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "maxItems": alertmanager.MOST,
                    "items": {
                        "type": "object",
                        "required": ["labels"],
                        "properties": {
                            "labels": TEXTS,
                            "annotations": TEXTS,
                            "startsAt": {"type": "string", "format": "date-time"},
                            "endsAt": {"type": "string", "format": "date-time"},
                            "generatorURL": {"type": "string"},
                        },
                    },
                },
                "example": [
                    {
                        "labels": {"alertname": "DiskFull", "severity": "critical", "device": "cabinet-3"},
                        "annotations": {"summary": "The disk of the controller is full"},
                        "startsAt": "2026-03-01T08:00:00Z",
                        "generatorURL": "http://prometheus/graph",
                    }
                ],
            }
        },
    }
}
"""The schema of a body that is read as text: what is wrong with it is answered as an Alertmanager does."""


@router.post(
    "/api/v2/alerts",
    response_class=Response,
    openapi_extra=BODY,
    responses={200: {"description": "all of them are taken"}},
    summary="Take alerts of another system",
)
async def take_alerts(
    request: Request, context: UsesContext, connection: UsesConnection, identity: UsesIdentity
) -> Response:
    """Take alerts as an Alertmanager does: each opens, goes on or ends an alert here; all of them or none.

    A label `device` names the device that it is about; else it stands with the device that is called like
    the token. It holds until `endsAt`, or 5 minutes after it was last sent.
    """
    try:
        sent = alertmanager.read(await request.body())
        places = await _places(connection, identity, sent)
        now = context.now()
        said = [
            _external(alert, _place(alert, places, identity, f"alert {number}"), now)
            for number, alert in enumerate(sent)
        ]
    except NotAccepted as error:
        raise Problem(400, "bad-request", str(error)) from error
    await external.receive(connection, said, now)
    return Response(status_code=200)


async def _places(
    connection: UsesConnection, identity: Identity, sent: Sequence[PostableAlert]
) -> Mapping[str, int]:
    """Return the numbers of the devices that the alerts may be about, by name."""
    names = {alert.labels.get("device", "") for alert in sent}
    if identity.kind == "token":
        names.add(identity.name)
    found = await external.installed(connection, names)
    everywhere = TokenScope.ALERTS in identity.scopes
    return {
        name: device
        for name, (device, town) in found.items()
        if everywhere or identity.may_in(Permission.SEND_ALERTS, town)
    }


def _place(alert: PostableAlert, places: Mapping[str, int], identity: Identity, which: str) -> int:
    named = alert.labels.get("device", "")
    device = places.get(named) or (places.get(identity.name) if identity.kind == "token" else None)
    if device is None:
        raise NotAccepted(
            f"{which}: its label device, {named!r}, names no device that is installed here, and none is"
            f" called {identity.name!r} like the token: register one"
        )
    return device


def _external(alert: PostableAlert, device: int, now: int) -> ExternalAlert:
    starts_at, ends_at = alertmanager.span(alert, to_datetime(now))
    return ExternalAlert(
        rule=alertmanager.rule_of(alert),
        device_id=device,
        severity=alertmanager.severity_of(alert),
        said=alertmanager.sentence_of(alert),
        labels=alertmanager.labels_of(alert),
        annotations=alertmanager.annotations_of(alert),
        generator_url=storable(alert.generator_url),
        starts_at=starts_at,
        ends_at=ends_at,
    )
