"""How long lists of passwords keep a real mosquitto busy. Must not know the database."""
