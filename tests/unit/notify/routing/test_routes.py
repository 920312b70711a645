"""Routes as people write them: which one an alert takes, what it asks for, and what is said of mistakes."""

from __future__ import annotations

from datetime import datetime

import pytest

from alerts.transition import Severity
from devices.instants import to_microseconds
from devices.time_zones import zone_named
from notify.facts import AlertFacts, EscalationStep, NotificationPlan
from notify.routing.load import DEFAULT
from notify.routing.local_clock import LocalCalendar
from notify.routing.names import RouteNames
from notify.routing.route import Route
from notify.routing.route_reader import RoutesRefused, read_routes

TRIPOLI = LocalCalendar(zone=zone_named("Asia/Beirut"), weekend=frozenset({6, 7}))
NAMES = RouteNames(
    municipalities=frozenset({"tripoli", "nablus"}),
    kinds=frozenset({"bin", "light", "drone"}),
    rules=frozenset({"light-out", "light-day", "bin-fire"}),
    rule_routes=frozenset({"waste", "lighting"}),
    districts=frozenset({"bab-al-ramel", "al-mina"}),
    people=frozenset({"amal", "rima"}),
    teams=frozenset({"lights"}),
    schedules=frozenset({"tripoli-night"}),
)
ROUTES = """
tell: operators
group_for: 45s
routes:
  - name: lights
    match: {kind: light, rule: light-*}
    steps:
      - tell: on-call:tripoli-night
      - after: 10m
        tell: [team:lights, person:amal]
    repeat: 1h
    routes:
      - name: lights by the sea
        match: {district: al-mina, at_least: major}
        tell: person:rima
        resolved: false
      - match: {local_time: "22:00-06:00", days: [fri, sat]}
        tell: []
  - name: other towns
    match: {municipality: [nablus], severity: [minor, warning]}
    repeat: never
"""


def facts(**more: object) -> AlertFacts:
    said = {"municipality": "tripoli", "kind": "light", "severity": Severity.MINOR, "rule": "light-out"}
    return AlertFacts(**{**said, "device": "light-7", "district": "bab-al-ramel", **more})  # type: ignore[arg-type]


def plan(routes: Route, asked: AlertFacts, at: str = "2026-01-14T12:00+02:00") -> NotificationPlan:
    instant = to_microseconds(datetime.fromisoformat(at))
    return routes.find(asked, instant, TRIPOLI).plan(instant, TRIPOLI.zone)


def test_the_first_route_that_matches_answers_and_children_before_their_parent() -> None:
    routes = read_routes(ROUTES, NAMES)

    taken = {
        plan(routes, facts()).route,
        plan(routes, facts(district="al-mina")).route,
    }
    assert taken == {"lights"}
    assert plan(routes, facts(district="al-mina", severity=Severity.MAJOR)).route == "lights by the sea"
    assert plan(routes, facts(district="al-mina", severity=Severity.CRITICAL)).route == "lights by the sea"
    assert plan(routes, facts(rule="bin-fire")).route == "default"
    assert plan(routes, facts(district=None)).route == "lights"
    assert plan(routes, facts(municipality="nablus", kind="bin")).route == "other towns"
    assert plan(routes, facts(municipality="nablus", kind="bin", severity=Severity.MAJOR)).route == "default"


def test_a_route_may_be_for_what_rules_say_of_who_cares() -> None:
    routes = read_routes("tell: []\nroutes: [{name: w, match: {route: waste}, tell: operators}]", NAMES)

    assert plan(routes, facts(route="waste")).route == "w"
    assert plan(routes, facts(route="lighting")).route == "default"
    assert plan(routes, facts()).route == "default"
    with pytest.raises(RoutesRefused, match="there is no route waist; did you mean waste"):
        read_routes("tell: []\nroutes: [{match: {route: waist}}]", NAMES)


def test_a_route_has_from_its_parent_what_it_does_not_say() -> None:
    routes = read_routes(ROUTES, NAMES)

    assert plan(routes, facts()) == NotificationPlan(
        route="lights",
        steps=(
            EscalationStep(after_s=0.0, receivers=("on-call:tripoli-night",)),
            EscalationStep(after_s=600.0, receivers=("team:lights", "person:amal")),
        ),
        repeat_s=3600.0,
        group_for_s=45.0,
    )
    by_the_sea = plan(routes, facts(district="al-mina", severity=Severity.MAJOR))
    assert (by_the_sea.repeat_s, by_the_sea.resolved) == (3600.0, False)
    assert plan(routes, facts(municipality="nablus", kind="bin")).repeat_s is None


def test_a_route_counts_at_its_hours_and_may_tell_nobody() -> None:
    routes = read_routes(ROUTES, NAMES)

    night = plan(routes, facts(), "2026-01-17T01:00+02:00")
    assert (night.route, night.steps) == ("lights/2", ())
    assert plan(routes, facts(), "2026-01-17T07:00+02:00").route == "lights"
    assert plan(routes, facts(), "2026-01-16T01:00+02:00").route == "lights", "that night began on Thursday"


def test_quiet_hours_of_a_route_move_its_steps() -> None:
    routes = read_routes("tell: operators\nquiet_hours: 20:00-07:00")

    assert plan(routes, facts(), "2026-01-14T23:00+02:00").steps[0].after_s == 8 * 3600
    assert plan(routes, facts(), "2026-01-14T12:00+02:00").steps[0].after_s == 0


def test_the_default_tells_at_once_what_is_severe_and_by_night_no_warning() -> None:
    routes = read_routes(DEFAULT.read_text(encoding="utf-8"), NAMES)
    night = "2026-01-14T23:00+02:00"

    found = {s: plan(routes, facts(severity=s), night) for s in Severity}
    assert {s: p.route for s, p in found.items()} == {s: s.value for s in Severity}
    assert {s: p.steps[0].after_s for s, p in found.items()} == {
        Severity.CRITICAL: 0,
        Severity.MAJOR: 0,
        Severity.MINOR: 300,
        Severity.WARNING: 8 * 3600 + 900,
    }
    assert {p.steps[0].receivers for p in found.values()} == {("operators",)}
    assert found[Severity.MINOR].group_for_s == 3600
    assert found[Severity.MAJOR].group_for_s == 30
    assert [step.after_s for step in found[Severity.CRITICAL].steps] == [0, 900]


WRONG = """\
tell: operator
grup_for: 30s
routes:
  - name: lights
    match: {kind: ligth, municipality: tripolis, severity: majr, district: al-minna, rule: light-outt}
    steps:
      - tell: [person:amla, team:light, on-call:tripoli-nigt, persn:amal]
      - after: 5 minutes
        tell: operators
  - match: {rule: "lamp-*", local_time: 22-6, days: monday, at_least: minor, severity: minor}
    repeat: 10s
    resolved: perhaps
    tell: operators
    steps: []
  - tell: operators
    quiet_hours: 06:00-06:00
"""


MISTAKES = """\
routes.yaml:1:7: 'operator' is no receiver: write person:NAME, team:NAME, on-call:NAME, operators, \
technicians, admins; did you mean operators?
routes.yaml:2:1: a route has no key 'grup_for'; did you mean group_for?
routes.yaml:5:19: there is no kind ligth; did you mean light?
routes.yaml:5:40: there is no municipality tripolis; did you mean tripoli?
routes.yaml:5:60: majr is not a severity; did you mean major?
routes.yaml:5:76: there is no district al-minna; did you mean al-mina?
routes.yaml:5:92: there is no rule light-outt; did you mean light-out?
routes.yaml:7:16: there is no person amla; did you mean person:amal?
routes.yaml:7:29: there is no team light; did you mean team:lights?
routes.yaml:7:41: there is no on-call schedule tripoli-nigt; did you mean on-call:tripoli-night?
routes.yaml:7:63: 'persn:amal' is no receiver; did you mean person:amal?
routes.yaml:8:16: after: '5 minutes' is not a duration such as 90s, 10m, 2h or 3d; did you mean 5m?
routes.yaml:10:19: no rule begins with lamp-
routes.yaml:10:41: local_time: '22-6' is not a span such as 22:00-06:00; did you mean 22:00-06:00?
routes.yaml:10:53: days is workdays, weekend or a list of mon, tue, wed, thu, fri, sat, sun; did you mean mon?
routes.yaml:10:71: at_least and severity exclude each other
routes.yaml:11:13: repeat is at least 1m, or never
routes.yaml:12:15: resolved is true or false
routes.yaml:13:11: tell is short for one step at once: write it into steps
routes.yaml:15:5: match is missing: a route without it would take everything
routes.yaml:16:18: quiet_hours: nobody would ever be told
"""


def test_all_mistakes_are_told_at_once_with_place_and_nearest_name() -> None:
    with pytest.raises(RoutesRefused) as refused:
        read_routes(WRONG, NAMES, file="routes.yaml")

    assert str(refused.value).splitlines() == MISTAKES.splitlines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: a route is a list of keys such as name, match, tell, steps"),
        ("- tell: operators", "1:1: a route is a list of keys such as name, match, tell, steps"),
        ("group_for: 30s", "1:1: the first route says whom to tell of what no other takes: tell or steps"),
        ("tell: operators\nmatch: {kind: bin}", "2:8: the first route is for all alerts: it has no match"),
        ("tell: operators\nroutes: {match: {}}", "2:9: routes is a list"),
        ("tell: operators\nroutes: [{match: {}}]", "2:18: match is a list of keys"),
        ("tell: [operators\n", "2:1: "),
        ("tell: &a operators\nroutes: [{match: {kind: bin}, tell: *a}]", "aliases"),
        ("steps: [{after: 5m, tell: operators}, {after: 1m, tell: admins}]", "each step comes later"),
        ("steps: [{after: 5m}]", "1:9: tell is missing"),
        ("steps: [operators]", "1:9: a step has the keys after and tell"),
        ("tell: operators\nname: ''", "2:7: a name has 1 to 100 characters"),
        ("tell: operators\ntell: admins", "2:1: tell is given twice"),
        ("tell: {to: operators}", "1:7: tell is a list"),
    ],
)
def test_a_document_that_is_none_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(RoutesRefused) as refused:
        read_routes(text, NAMES)

    assert said in str(refused.value)


def test_what_was_accepted_before_is_read_whoever_has_left_since() -> None:
    routes = read_routes("tell: [person:left, team:gone]")

    assert routes.steps[0].receivers == ("person:left", "team:gone")
