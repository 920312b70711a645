"""Which problem each error of the layers below becomes: those know no HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.http import problems
from api.http.problems import Problem, Slug, Told
from devices.registry import errors
from people.passwords import TooManyPasswords
from store.failures import DATABASE_ERRORS, is_outage

Handler = Callable[[Request, Exception], Awaitable[Response]]


def add_handlers(app: FastAPI) -> None:
    """Answer every error that a route can raise with a problem."""
    app.add_exception_handler(Problem, _handler(lambda error: error))
    app.add_exception_handler(HTTPException, _of_http(app))
    app.add_exception_handler(RequestValidationError, _handler(lambda e: problems.of_validation(e.errors())))
    app.add_exception_handler(errors.NotFound, _handler(_of_not_found))
    app.add_exception_handler(
        errors.AlreadyExists, _handler(lambda e: Problem(409, "already-exists", str(e)))
    )
    app.add_exception_handler(errors.Conflict, _handler(_of_conflict))
    app.add_exception_handler(errors.Invalid, _handler(_of_invalid))
    app.add_exception_handler(
        asyncpg.CharacterNotInRepertoireError,
        _handler(lambda _: Problem(422, "invalid", "text may not contain the character NUL")),
    )
    app.add_exception_handler(TooManyPasswords, _handler(_of_too_many_passwords))
    for error in DATABASE_ERRORS:
        app.add_exception_handler(error, _handler(of_database))


def _handler(translate: Callable[..., Problem]) -> Handler:
    async def respond(request: Request, error: Exception) -> Response:
        problem = translate(error)
        if problem.slug == "conflict" and "if-match" in request.headers:
            problem = Problem(412, "changed-meanwhile", problem.detail, told=problem.told)
        return _rendered(request, problem)

    return respond


def _rendered(request: Request, problem: Problem) -> Response:
    return problems.render(
        problem, accept_language=request.headers.get("accept-language"), instance=request.url.path
    )


def _of_http(app: FastAPI) -> Handler:
    async def respond(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = problems.of_status(error.status_code, error.detail)
        problem.headers.update(error.headers or {})
        if problem.status == 405:
            # A router knows only the methods of the first route of a path.
            problem.headers["Allow"] = ", ".join(sorted(_allowed(app, request)))
        return _rendered(request, problem)

    return respond


def _allowed(app: FastAPI, request: Request) -> set[str]:
    routes = [r for r in iter_route_contexts(app.routes) if r.matches(request.scope)[0] is not Match.NONE]
    # Of /devices/import and /devices/{device} it is the former that is meant, whichever was declared first.
    meant = min((r.path or "" for r in routes), key=lambda path: path.count("{"))
    return {method for r in routes if r.path == meant for method in r.methods or ()}


def _of_not_found(error: errors.NotFound) -> Problem:
    slug: Slug = "unknown-device" if error.what == "device" else "not-found"
    return Problem(404, slug, f"no {error.what} is called {error.name!r}")


def _of_conflict(error: errors.Conflict) -> Problem:
    told = Told(key=error.key, values=error.values) if error.key else None
    return Problem(409, "conflict", str(error), told=told)


def _of_invalid(error: errors.Invalid) -> Problem:
    pointer = "#/" + error.field.replace("[", ".").replace("]", "").replace(".", "/")
    listed = [{"pointer": pointer, "detail": error.message}]
    told = Told(key=error.key, values={}) if error.key else None
    return Problem(422, "invalid", str(error), told=told, errors=listed)


def _of_too_many_passwords(_: TooManyPasswords) -> Problem:
    detail = "too many passwords are being checked at this moment"
    return Problem(503, "unavailable", detail, headers={"Retry-After": "2"})


def of_database(error: Exception) -> Problem:
    """Return the problem of a database that is away; any other error is a fault of ours and raised again."""
    if not is_outage(error):
        raise error
    detail = "the database did not answer in time"
    return Problem(503, "unavailable", detail, headers={"Retry-After": "2"})
