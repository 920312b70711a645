"""PostgreSQL and TimescaleDB mechanics. Knows no device, no rule, no message."""
