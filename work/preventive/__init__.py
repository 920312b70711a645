"""Preventive work that comes again, by days or by what a counter shows."""
