"""Problem details."""

from __future__ import annotations

import json

import pytest

from api.http import problems
from api.http.problems import SLUGS, Problem
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES


@pytest.mark.parametrize("slug", SLUGS)
def test_problem_has_a_different_title_in_every_language(slug: str) -> None:
    assert len({text(language, f"problem.{slug}") for language in LANGUAGES}) == 3


def test_problem_is_rendered_with_its_members_in_the_readers_language() -> None:
    problem = Problem(409, "conflict", "retired already", headers={"Retry-After": "1"}, device="bin-1")

    response = problems.render(problem, accept_language="ar-LB", instance="/x")

    assert response.media_type == "application/problem+json"
    assert response.headers["content-language"] == "ar"
    assert response.headers["retry-after"] == "1"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:nabd:problem:conflict",
        "title": "الحالة الراهنة لا تسمح بذلك",
        "status": 409,
        "detail": "retired already",
        "instance": "/x",
        "device": "bin-1",
    }


def test_validation_names_each_place_that_is_wrong() -> None:
    problem = problems.of_validation(
        [
            {"loc": ("query", "limit"), "msg": "too large"},
            {"loc": ("body", "lat"), "msg": "not a number"},
        ]
    )

    assert problem.more["errors"] == [
        {"parameter": "limit", "in": "query", "detail": "limit: too large"},
        {"pointer": "#/lat", "detail": "lat: not a number"},
    ]
