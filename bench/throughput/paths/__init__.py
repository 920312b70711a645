"""Where the time of messages goes between the instant at which they were to be sent and their receipts."""
