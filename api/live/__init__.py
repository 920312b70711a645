"""The live stream: one listener a process, one bounded subscription a screen. No route lives here."""
