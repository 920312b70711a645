"""Maintenance windows: when rules do not look. Knows no rule."""
