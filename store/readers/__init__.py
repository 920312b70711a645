"""Accounts of the database that read the views v_*: how they are made, and whose rows they see.

Knows audit and connections; never a kind, an edition or Grafana.
"""
