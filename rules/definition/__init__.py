"""What a rule says, as frozen values: times, families, sentences, mistakes. No condition is computed here."""
