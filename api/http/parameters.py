"""Query parameters that a route does not have are refused; numbers in paths are told from words.

A misspelt filter would list everything. Only of the API: what leads to pages may carry what mail programs and
providers add. `{alert_id:number}` in the path of a route takes digits only, so that /alerts/acknowledge is no
alert: with a word there it is the address of something else, or of nothing (404). Must not know what the
parameters mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute

from api.http.problems import Problem
from devices.suggestion import meant

API = ("/api/", "/ngsi-ld/", "/sensorthings/", "/open-data/")
"""What programs ask: our own addresses, and those of standards."""
LISTED = 10
"""Unknown parameters that are named: an address may hold thousands."""
Endpoint = Callable[..., Any]


def of_routes(routes: Sequence[BaseRoute]) -> Mapping[Endpoint, frozenset[str]]:
    """Return the names of the query parameters of each route of the API, by its function."""
    return {
        context.original_route.endpoint: frozenset(
            field.alias
            for field in get_flat_params(context.original_route.dependant)
            if isinstance(field.field_info, params.Query)
        )
        for context in iter_route_contexts(routes)
        if isinstance(context.original_route, APIRoute) and (context.path or "").startswith(API)
    }


async def known(request: Request) -> None:
    """Refuse a request with a parameter that its route does not have.

    Raises:
        Problem: 422, with what was probably meant.
    """
    if not request.query_params:
        return
    names = request.app.state.parameters.get(request.scope["route"].endpoint)
    if names is None:
        return
    unknown = [name for name in request.query_params if name not in names]
    if unknown:
        listed = [
            {"parameter": n, "in": "query", "detail": f"is no parameter of this address; {meant(n, names)}"}
            for n in unknown[:LISTED]
        ]
        raise Problem(422, "invalid", f"{unknown[0]!r} {listed[0]['detail']}", errors=listed)


class _Digits(Convertor[int]):
    """At most 100 digits: Python refuses to read very long ones. What no thing can have is for the route."""

    regex = "[0-9]{1,100}"

    def convert(self, value: str) -> int:
        """Return what stands in a path as a number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return a number as it stands in a path."""
        return str(value)


def register_numbers() -> None:
    """Make `:number` known to the routes that are declared from now on."""
    register_url_convertor("number", _Digits())
