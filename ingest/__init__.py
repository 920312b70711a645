"""Broker to committed rows. Knows devices and store; never rules, never HTTP."""
