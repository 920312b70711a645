"""Formats of sources: vectors, bad bytes, and what Sparkplug remembers."""
