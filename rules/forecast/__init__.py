"""How something fills and when it will be full. The arithmetic is pure; no alert is opened here."""
