"""Who is told what, kept in tables: alerts are followed, escalations advanced, deliveries planned and sent.

The transition is the message: a batch of events becomes escalations and planned deliveries in one
transaction, and only what is committed is sent. Must not know how routes decide, how texts are written, nor
how a channel hands over: those come as the protocols of `ports`.
"""
