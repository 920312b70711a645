"""How devices stand: on a map, as a list, in numbers."""
