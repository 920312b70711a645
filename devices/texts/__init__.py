"""What Nabd says to people, in every language that it speaks; one catalogue for Python and the console.

Knows no rules, alerts or HTTP. Titles and labels that kinds and rules declare stand in their declarations.
"""
