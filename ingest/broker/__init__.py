"""From the broker's bytes to an intake of messages. Knows no device, no database."""
