"""Dashboards as they are made: pure."""
