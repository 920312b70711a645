"""Asking a provider of identities (OpenID Connect) who somebody is.

addresses: which may be asked. id_token: what proves who it is. provider: the one that is configured.
Must not know people, routes or cookies.
"""
