"""The sentences of the console by language."""
