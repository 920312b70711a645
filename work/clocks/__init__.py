"""Deadlines of work orders, whether readings verify them, devices that have many."""
