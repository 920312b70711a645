"""Codecs in their own processes: real engine, real pipes, real kills."""
