"""Whom alerts are told: routes, teams, on-call schedules."""
