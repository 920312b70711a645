"""What devices sign in with at the broker: passwords and client certificates, made, kept and ended.

The database is the source of truth (`issuing.py` writes it); the broker's files follow from it
(`broker_files.py`). Must not know HTTP, MQTT, nor where the files lie.
"""
