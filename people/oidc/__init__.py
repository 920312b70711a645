"""People who sign in at a provider (OpenID Connect) instead of here.

claims: what the provider says, and the roles that follow. starts: sign-ins that have begun. admission: the
person that comes back. Must not know how the provider is asked.
"""
