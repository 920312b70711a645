"""`nabd demo`: a simulated town, and whether every reading was stored and every fault alerted."""
