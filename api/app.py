"""The HTTP application: routes, middleware and live events put together. Starts nothing by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from api import policies
from api.access import permitted
from api.context import AppContext, Check, Examine, ReadingRelays, nothing_examined
from api.http import openapi, parameters
from api.http.caller import CallerMiddleware
from api.http.edge import EdgeMiddleware
from api.http.guards import GuardMiddleware
from api.http.handlers import add_handlers
from api.http.identification import Identification
from api.http.sign_in_page import SignInPage
from api.live.listener import LiveEvents
from api.metrics.platform import Queue
from api.metrics.process import Metrics
from api.pages import assets, guides, offline, texts
from api.routes import (
    alerts,
    audit,
    blind,
    devices,
    exports,
    forecasts,
    health,
    intervals,
    kinds,
    latest,
    layers,
    ledger,
    maintenance,
    municipalities,
    readings,
    rejections,
    rules,
    stream,
)
from api.routes.access import oidc as oidc_routes
from api.routes.access import (
    own_contact,
    own_push,
    own_sessions,
    own_subscriptions,
    session,
    signin,
    tokens,
    trust,
    users,
)
from api.routes.administration import (
    bans,
    command_requests,
    device_lists,
    open_data,
    profiles,
    quarantine,
    rollouts,
    sources,
    system,
)
from api.routes.alerting import (
    alertmanager,
    answers,
    assignments,
    channel_trials,
    maintenance_plans,
    notifications,
    silences,
    sms_answers,
)
from api.routes.device import (
    areas,
    commands,
    configs,
    credentials,
    firmware,
    hand_readings,
    limits,
    notes,
    overview,
    standings,
    statistics,
)
from api.routes.device import tiles as map_tiles
from api.routes.incoming import telemetry, webhooks
from api.routes.routing import on_call, routes, teams
from api.routes.work import calendars, figures, orders, photos, reports, targets
from api.routes.work import plans as work_plans
from api.routes.work import steps as work_steps
from api.standards.ngsi_ld import routes as ngsi_ld
from api.standards.ngsi_ld import temporal_routes as ngsi_ld_temporal
from api.standards.ngsi_ld.subscriptions import routes as ngsi_ld_subscriptions
from api.standards.open_data import routes as open_data_files
from api.standards.sensorthings import routes as sensorthings
from api.tiles import archive
from api.tiles.source import TileSource
from devices.firmware.image_files import ImageDirectory
from devices.instants import Now
from devices.kinds import Kinds
from devices.profiles.files import ProfileFiles
from notify.channels.public_address import ListedTargets
from people.request_limits import RequestQuota
from people.sessions import SessionLimits
from work.photo_files import PhotoDirectory

if TYPE_CHECKING:
    import asyncpg

    from api.oidc.provider import OidcProvider
    from devices.sources.webhooks import WebhookIntake
    from notify.message import NotificationChannel
    from store.standing.replica import Replica

PREFIX = "/api/v1"
NOUNS = (
    devices,
    device_lists,
    standings,
    limits,
    credentials,
    notes,
    hand_readings,
    commands,
    configs,
    command_requests,
    rollouts,
    latest,
    overview,
    areas,
    map_tiles,
    readings,
    statistics,
    forecasts,
    intervals,
    alerts,
    assignments,
    notifications,
    sms_answers,
    channel_trials,
    rules,
    blind,
    maintenance,
    maintenance_plans,
    routes,
    teams,
    on_call,
    silences,
    orders,
    work_steps,
    photos,
    figures,
    reports,
    audit,
    exports,
    telemetry,
    webhooks,
    rejections,
    quarantine,
    bans,
    sources,
    system,
    ledger,
    municipalities,
    layers,
    open_data,
    calendars,
    targets,
    work_plans,
    kinds,
    profiles,
    stream,
    session,
    own_contact,
    own_subscriptions,
    own_push,
    own_sessions,
    users,
    tokens,
)

DESCRIPTION = """\
Readings, alerts and devices of a city. Errors are RFC 9457 problems with a stable `type`; lists are read by
page (`Link: rel="next"`); times are RFC 3339, any offset in, UTC out."""


def create_app(
    *,
    pool: asyncpg.Pool[asyncpg.Record],
    kinds: Kinds,
    now: Now,
    beyond_loopback: bool,
    real_now: Now | None = None,
    session_limits: SessionLimits | None = None,
    totp_required: bool = False,
    oidc: OidcProvider | None = None,
    speed: float = 1.0,
    checks: Mapping[str, Check] | None = None,
    queue: Queue = lambda: None,
    channels: Mapping[str, NotificationChannel] | None = None,
    profiles_dir: Path | None = None,
    photo_dir: Path | None = None,
    firmware_dir: Path | None = None,
    authority: Path | None = None,
    web_push: bool = True,
    tiles: TileSource | None = None,
    examine: Examine | None = None,
    request_quota: RequestQuota | None = None,
    replica: Replica | None = None,
    relaying: ReadingRelays | None = None,
    deliveries: WebhookIntake | None = None,
    webhook_targets: ListedTargets | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        pool: connections of `store.pool.open_pool`; the live stream keeps one of them.
        kinds: the declared kinds.
        now: the clock, in microseconds since 1970-01-01Z.
        beyond_loopback: others than this machine may ask; else only names of loopback are answered.
        real_now: the clock of sessions, links and tokens; `now` without it.
        session_limits: when sessions end; those of SessionLimits without it.
        totp_required: administrators must show an app's code.
        oidc: where people may sign in instead of here.
        speed: how many times faster than real time the clock runs; the console shows it.
        checks: further parts of /readyz by name; each answers None, or why it is not ready.
        queue: the broker's queue, for /metrics.
        channels: ways to hand messages over, by name, for tests of them; the caller closes them.
        profiles_dir: where profiles of the operator's own lie.
        photo_dir: where photos of work lie; without it none are taken.
        authority: the certificate (PEM) that signs ours, for phones to trust; without it there is none.
        firmware_dir: where images lie that devices fetch; without it they find none.
        web_push: browsers may subscribe to messages.
        tiles: what lies under the map; without it the layers of municipalities alone.
        examine: looks for trouble, as `nabd doctor` does; without it nobody looks.
        request_quota: how many requests one caller may make; without it any number.
        replica: where readings are read while it follows; the caller runs it.
        relaying: where readings go that are posted here; without it none are taken. The caller runs it.
        deliveries: takes what is posted to webhooks; the caller runs it too.
        webhook_targets: what subscriptions may name beside public addresses; without it nothing.
    """
    metrics = Metrics()
    live = LiveEvents(pool, kinds, metrics, now, speed)
    limits = session_limits or SessionLimits()
    identification = Identification(pool, real_now or now, limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with live.running():
            yield

    app = FastAPI(
        title="Nabd",
        version="1",
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        # The usual documentation pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        routes=_routes(),
    )
    files = assets.load()
    page = SignInPage(
        files["signin.html"].body, files["signedin.html"].body, oidc.client.name if oidc else None
    )
    app.state.context = AppContext(
        pool=pool,
        kinds=kinds,
        now=now,
        real_now=real_now or now,
        identification=identification,
        session_limits=limits,
        totp_required=totp_required,
        sign_in_page=page,
        oidc=oidc,
        press_page=files["press.html"].body,
        trust_page=files["authority.html"].body,
        console_version=assets.version_of(files),
        speed=speed,
        checks=checks or {},
        queue=queue,
        channels=channels or {},
        profiles=ProfileFiles(kinds, profiles_dir),
        authority=authority,
        firmware=ImageDirectory(firmware_dir) if firmware_dir is not None else None,
        photos=PhotoDirectory(photo_dir) if photo_dir is not None else None,
        web_push=web_push,
        tiles=tiles,
        tile_archive=archive.opened(tiles),
        examine=examine or nothing_examined,
        live=live,
        metrics=metrics,
        replica=replica,
        relaying=relaying,
        deliveries=deliveries,
        webhook_targets=webhook_targets or ListedTargets(),
    )
    add_handlers(app)
    openapi.describe(app)
    # The last one added is the outermost.
    app.add_middleware(GZipMiddleware, compresslevel=6)
    app.add_middleware(CallerMiddleware)
    app.add_middleware(
        GuardMiddleware,
        identification=identification,
        beyond_loopback=beyond_loopback,
        sign_in_page=page,
        request_quota=request_quota or RequestQuota(token=0, address=0),
    )
    app.add_middleware(EdgeMiddleware, metrics=metrics, tiles_origin=tiles.origin if tiles else None)
    policies.check(routes_of(app))
    app.state.policies = {
        (method, route.endpoint): policies.policy_of(method, route.path_format or "")
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }
    app.state.parameters = _parameters()
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Return every route; they know no application, and building them takes half a second."""
    judged = [Depends(permitted), Depends(parameters.known)]
    version = APIRouter(prefix=PREFIX)
    for noun in NOUNS:
        version.include_router(noun.router)
    everything = APIRouter()
    for router in (
        version,
        ngsi_ld.router,
        ngsi_ld_temporal.router,
        ngsi_ld_subscriptions.router,
        sensorthings.router,
        open_data_files.router,
        alertmanager.router,
        health.router,
        signin.router,
        trust.router,
        answers.router,
        firmware.router,
        oidc_routes.router,
        texts.router(),
        guides.router(),
        assets.router(files := assets.load()),
        offline.router(files),
    ):
        everything.include_router(router, dependencies=judged)
    return everything.routes


@cache
def _parameters() -> Mapping[parameters.Endpoint, frozenset[str]]:
    return parameters.of_routes(_routes())


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and path, as declared, of every route."""
    return [
        (method, route.path_format or "")
        for route in iter_route_contexts(app.routes)
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]
