"""Live events: one listener a process, one bounded subscription a client. No route lives here."""
