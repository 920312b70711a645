"""Sweep rules over readings in arrays, in the order they were received: for backtests and the benchmark.

What the live sweep reads from tables and keeps in them is kept in arrays here; who is silent, down, overdue,
far or soon full is decided by the same functions (rules.sweeps.core). No database.
"""
