"""An installation that systemd runs, laid out as Debian does: units, their user, files beside them.

units: what each process is. files: all files and where they go. Knows no settings: processes read their own.
"""
