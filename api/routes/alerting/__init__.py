"""What people do about alerts beyond seeing them: assign and silence them, plan work that comes again."""
