"""Who is told of an alert, and when: routes, teams, on-call schedules, people's own steps, quiet hours.

Deciding is pure and takes time as an argument. Must not know channels, nor what a message says.
"""
