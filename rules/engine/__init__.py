"""The evaluator: readings and state in, transitions out. Pure; no database, no clock."""
