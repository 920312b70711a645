"""One module a channel: hands a message to a service and says what the service answered.

Must not know routes, alerts or the database.
"""
