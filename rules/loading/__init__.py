"""Rule files: YAML to definitions, every mistake with line and column. No database."""
