"""Alerts posted to a Grafana that does not read our database: what is written, up to where, and by whom.

`annotation` is pure, `places` keeps how far each organisation is, `following` brings them up to date.
"""
