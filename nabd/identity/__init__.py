"""Who devices are to the broker, as processes see it: files of TLS, files for the broker, sessions that end.

Credentials themselves are in devices.credentials; here are directories, certificates' files and connections.
"""
