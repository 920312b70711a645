"""What conditions are computed on: rows, attributes, truth, places, the sun. Pure; no rule is known here."""
