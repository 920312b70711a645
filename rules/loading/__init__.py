"""Rule files: YAML to definitions, every mistake with its place. No database."""
