"""Who makes a request's change, and from where: the principal of the person or the token that it is from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.context import UsesIdentity
from api.http import guards
from store.audit import Actor


def actor(request: Request, identity: UsesIdentity) -> Actor:
    """Return who the request is from."""
    return Actor(principal=identity.principal, address=guards.address_of(request.scope))


UsesActor = Annotated[Actor, Depends(actor)]
