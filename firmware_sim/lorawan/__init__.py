"""A LoRaWAN city that does not exist: devices of others, gateways, and network servers that speak for them.

models: what vendors' devices send, from the same public documents as our profiles, and apart from them.
gateways: who hears a frame, by what clock. frame: what is heard. chirpstack, things_stack: what network
servers say of it. city: who there is. plan: which frames are heard, copied, lost and late. publishing: at
their broker. Must not know profiles, nor how anybody reads any of it.
"""
