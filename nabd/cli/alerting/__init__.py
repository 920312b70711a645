"""Commands about alerts: silences."""
