"""How a message is answered: what is offered with it, and what an answer does.

Must not know how an answer arrives (HTTP), nor what the message says.
"""
