"""Routes of work orders: lists and one, who has it, its steps, its photos."""
