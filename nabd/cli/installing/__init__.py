"""Commands that put an installation together: settings, secrets, units."""
