"""Commands of whoever keeps an installation alive: backups, restores, drills, alert rules."""
