"""Rules in the database: versions, changes by people, what operators watch. No evaluation."""
