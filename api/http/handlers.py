"""Which problem each error of the layers below becomes: those know no HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.http import problems
from api.http.problems import Problem, Slug
from devices.registry import errors
from store.failures import DATABASE_ERRORS, is_outage

Handler = Callable[[Request, Exception], Awaitable[Response]]


def add_handlers(app: FastAPI) -> None:
    """Answer every error that a route can raise with a problem."""
    app.add_exception_handler(Problem, _handler(lambda error: error))
    app.add_exception_handler(HTTPException, _handler(_of_http))
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
    for error in DATABASE_ERRORS:
        app.add_exception_handler(error, _handler(of_database))


def _handler(translate: Callable[..., Problem]) -> Handler:
    async def respond(request: Request, error: Exception) -> Response:
        problem = translate(error)
        if problem.slug == "conflict" and "if-match" in request.headers:
            problem = Problem(412, "changed-meanwhile", problem.detail)
        return problems.render(
            problem,
            accept_language=request.headers.get("accept-language"),
            instance=request.url.path,
        )

    return respond


def _of_http(error: HTTPException) -> Problem:
    problem = problems.of_status(error.status_code, error.detail)
    problem.headers.update(error.headers or {})
    return problem


def _of_not_found(error: errors.NotFound) -> Problem:
    slug: Slug = "unknown-device" if error.what == "device" else "not-found"
    return Problem(404, slug, f"no {error.what} is called {error.name!r}")


def _of_conflict(error: errors.Conflict) -> Problem:
    return Problem(409, "conflict", str(error))


def _of_invalid(error: errors.Invalid) -> Problem:
    listed = [{"pointer": f"#/{error.field}", "detail": error.message}]
    return Problem(422, "invalid", str(error), errors=listed)


def of_database(error: Exception) -> Problem:
    """Return the problem of a database that is away; any other error is a fault of ours and raised again."""
    if not is_outage(error):
        raise error
    detail = "the database did not answer in time"
    return Problem(503, "unavailable", detail, headers={"Retry-After": "2"})
