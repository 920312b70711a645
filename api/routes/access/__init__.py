"""Signing in and out, and the administration of people and tokens."""
