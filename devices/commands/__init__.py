"""What devices can be told, and what became of it. Knows no broker: sending is the caller's."""
