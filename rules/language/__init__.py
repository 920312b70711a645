"""The expression language: text to functions over whole columns. Knows no state, no database."""
