"""Rounds: what becomes due in work as time passes, and the orders that rules ask for."""
