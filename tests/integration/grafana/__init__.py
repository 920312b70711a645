"""Dashboards, accounts and servers of Grafana against real databases."""
