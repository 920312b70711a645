"""Problem details."""

from __future__ import annotations

import json

import pytest

from api.http import problems
from api.http.languages import LANGUAGES
from api.http.problem_titles import TITLES
from api.http.problems import Problem


@pytest.mark.parametrize("slug", TITLES)
def test_problem_has_a_different_title_in_every_language(slug: str) -> None:
    assert len({problems.title(slug, language) for language in LANGUAGES}) == 3


def test_every_status_has_a_type_with_titles() -> None:
    assert set(problems.BY_STATUS.values()) <= set(TITLES)


def test_problem_is_rendered_with_its_members_in_the_readers_language() -> None:
    problem = Problem(409, "conflict", "retired already", headers={"Retry-After": "1"}, device="bin-1")

    response = problems.render(problem, accept_language="ar-LB", instance="/x")

    assert response.media_type == "application/problem+json"
    assert response.headers["content-language"] == "ar"
    assert response.headers["retry-after"] == "1"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:nabd:problem:conflict",
        "title": TITLES["conflict"]["ar"],
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
