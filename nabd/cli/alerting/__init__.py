"""Commands about alerts: whose work they are, silences, maintenance that comes again."""
